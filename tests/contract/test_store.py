"""What every VersionStore promises, in memory and on real servers."""

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from recommender.errors import BusyError, IncompletePublishError, VersionNotFoundError
from recommender.publication.lists import WHOLE_SHOP, Basis, ListKey, Ranked
from recommender.redis.keys import Keys
from recommender.redis.shops import RedisShopStorage
from recommender.redis.versions import RedisVersionStore
from recommender.storage.versions import ListQuery, rollback
from tests.fakes.versions import MemoryVersionStore
from tests.support.loops import run

ANN = ListKey("discover", "ann")


def test_before_any_version_there_is_nothing(store):
    assert store.read(ListQuery([ANN])) is None
    assert store.current() is None
    assert store.manifests() == []


def test_what_was_published_is_read_back_with_its_products(store, make_publication):
    publication = make_publication("v1", {"discover": {"ann": [3, 1]}, "popular": {WHOLE_SHOP: [2]}})
    store.publish(publication, keep=3)
    reading = store.read(ListQuery([ANN, ListKey("popular", WHOLE_SHOP)]))
    assert reading.version == "v1"
    assert reading.lists[ANN].basis is Basis.MODEL
    assert reading.lists[ANN].records == [Ranked(3, 1.0), Ranked(1, 0.5)]
    assert reading.lists[ListKey("popular", WHOLE_SHOP)].records == [Ranked(2, 1.0)]
    assert reading.products == {i: publication.products[i] for i in (1, 2, 3)}


def test_every_field_of_a_buy_again_record_comes_back(store, make_publication):
    publication = make_publication("v1", {"buy_again": {"ann": [4]}})
    records = publication.tables["buy_again"].records
    records[0] = (4, 0.25, 20_777, 6, 3.5, 0.75, 0.5)
    store.publish(publication, keep=3)
    found = store.read(ListQuery([ListKey("buy_again", "ann")])).lists[ListKey("buy_again", "ann")]
    assert found.records == [(4, 0.25, 20_777, 6, 3.5, 0.75, 0.5)]


def test_a_product_on_two_lists_is_given_once(store, make_publication):
    store.publish(make_publication("v1", {"discover": {"ann": [1, 2]}, "similar": {"p1": [2, 1]}}), keep=3)
    assert set(store.read(ListQuery([ANN, ListKey("similar", "p1")])).products) == {1, 2}


def test_an_owner_without_a_list_gets_none_and_one_with_an_empty_list_gets_it(store, make_publication):
    store.publish(make_publication("v1", {"discover": {"bob": []}}), keep=3)
    reading = store.read(ListQuery([ANN, ListKey("discover", "bob")]))
    assert reading.lists[ANN] is None
    assert reading.lists[ListKey("discover", "bob")].records == []
    assert reading.products == {}


@pytest.mark.parametrize("version", [None, "v1", "v2", "nope"])
def test_an_event_loop_reads_what_a_thread_reads(store, make_publication, version):
    keys = [ANN, ListKey("popular", WHOLE_SHOP), ListKey("discover", "nobody")]
    assert run(store.read_async(ListQuery(keys)), store) is None
    for name in ("v1", "v2"):
        store.publish(make_publication(name, {"discover": {"ann": [3, 1]}, "popular": {WHOLE_SHOP: [2]}}), keep=3)
    query = ListQuery(keys, version, people=["a"])
    assert run(store.read_async(query), store) == store.read(query)


def test_asking_for_no_list_still_names_the_version(store, make_publication):
    store.publish(make_publication("v1", {}), keep=3)
    assert store.read(ListQuery([])).version == "v1"


def test_one_owner_has_a_list_of_each_name(store, make_publication):
    store.publish(make_publication("v1", {"similar": {"p1": [2]}, "together": {"p1": [5]}}), keep=3)
    lists = store.read(ListQuery([ListKey("together", "p1"), ListKey("similar", "p1")])).lists
    assert [found.records[0].product_index for found in lists.values()] == [5, 2]


@pytest.mark.parametrize(
    "owner_id",
    [
        "a/b",
        "../..",
        "{tag}",
        "a:b",
        "a b",
        "line\nline\r\n",
        "nul\0nul",
        "☕🥐",
        "é",
        "e\u0301",
        "00123",
        "*",
        "x" * 10_240,
    ],
    ids=lambda owner_id: ascii(owner_id)[:20],
)
def test_any_string_is_an_id(store, make_publication, owner_id):
    store.publish(make_publication("v1", {"discover": {owner_id: [7], "ann": [1]}}), keep=3)
    reading = store.read(ListQuery([ListKey("discover", owner_id), ListKey("discover", owner_id + "?")]))
    assert list(reading.products) == [7]
    assert reading.lists[ListKey("discover", owner_id + "?")] is None


def test_half_a_surrogate_pair_is_an_unknown_owner(store, make_publication):
    store.publish(make_publication("v1", {"discover": {"ann": [1]}}), keep=3)
    assert store.read(ListQuery([ListKey("discover", "\ud800")])).lists == {ListKey("discover", "\ud800"): None}


def test_many_lists_with_many_products_come_in_one_reading(store, make_publication):
    lists = {f"c{i}": [i, (i + 1) % 3_000] for i in range(3_000)}
    store.publish(make_publication("v1", {"discover": lists}, n_products=3_000), keep=3)
    reading = store.read(ListQuery([ListKey("discover", owner_id) for owner_id in lists]))
    assert len(reading.lists) == 3_000
    assert {index: product.product_id for index, product in reading.products.items()} == {
        i: f"p{i}" for i in range(3_000)
    }


def test_publishing_makes_the_version_current_and_keeps_the_one_before(store, make_publication):
    for version in ("v1", "v2"):
        store.publish(make_publication(version, {"discover": {"ann": [1]}}), keep=3)
    assert store.current() == "v2"
    assert store.read(ListQuery([ANN])).products[1].title == "v2 1"
    assert [manifest.version for manifest in store.manifests()] == ["v2", "v1"]


def test_a_manifest_comes_back_whole(store, make_publication):
    publication = make_publication("v1", {"discover": {"ann": [1]}})
    manifest = replace(publication.manifest, metrics={"mixed": {"recall_at_10": 0.5}}, sources=["käufe.csv"])
    store.publish(replace(publication, manifest=manifest), keep=3)
    assert store.manifests() == [manifest]


def test_all_but_the_newest_are_deleted(store, make_publication):
    for version in ("v1", "v2", "v3", "v4"):
        store.publish(make_publication(version, {"discover": {"ann": [1]}}), keep=2)
    assert [manifest.version for manifest in store.manifests()] == ["v4", "v3"]
    with pytest.raises(VersionNotFoundError):
        store.activate("v2")


def test_with_one_kept_only_the_current_one_is_left(store, make_publication):
    for version in ("v2", "v1"):
        store.publish(make_publication(version, {}), keep=1)
    assert [manifest.version for manifest in store.manifests()] == ["v1"]
    assert store.current() == "v1"


def test_newest_is_by_creation_not_by_name(store, make_publication):
    store.publish(make_publication("v9", {}, created_at="2026-01-01"), keep=2)
    store.publish(make_publication("v5", {}, created_at="2026-01-02"), keep=2)
    store.publish(make_publication("v1", {}, created_at="2026-01-03"), keep=2)
    assert [manifest.version for manifest in store.manifests()] == ["v1", "v5"]


def test_a_version_published_again_only_becomes_current(store, make_publication):
    for version in ("v1", "v2", "v1"):
        store.publish(make_publication(version, {"discover": {"ann": [1]}}), keep=3)
    assert store.current() == "v1"
    assert [manifest.version for manifest in store.manifests()] == ["v2", "v1"]


def test_activate_and_rollback_swap_the_answer(store, make_publication):
    for version in ("v1", "v2", "v3"):
        store.publish(make_publication(version, {"discover": {"ann": [1]}}), keep=3)
    assert rollback(store) == "v2"
    assert store.read(ListQuery([ANN])).version == "v2"
    assert rollback(store) == "v1"
    with pytest.raises(VersionNotFoundError, match="no version before v1 is kept"):
        rollback(store)
    store.activate("v3")
    assert store.read(ListQuery([ANN])).products[1].title == "v3 1"


def test_an_unknown_version_is_not_activated(store, make_publication):
    store.publish(make_publication("v1", {}), keep=3)
    with pytest.raises(VersionNotFoundError, match="'nonsense'"):
        store.activate("nonsense")
    assert store.current() == "v1"


def test_rollback_before_the_first_publish_says_so(store):
    with pytest.raises(VersionNotFoundError, match="no version before the first publish"):
        rollback(store)


def test_fewer_lists_than_the_manifest_says_are_not_published(store, make_publication):
    store.publish(make_publication("v1", {"discover": {"ann": [1]}}), keep=3)
    publication = make_publication("v2", {"discover": {"ann": [1]}})
    manifest = replace(publication.manifest, lists={"discover": 2})
    with pytest.raises(IncompletePublishError, match="v2 has only 1 of 2 discover"):
        store.publish(replace(publication, manifest=manifest), keep=3)
    assert store.current() == "v1"
    assert [found.version for found in store.manifests()] == ["v1"]


def test_a_publish_that_is_broken_off_leaves_nothing(store, make_publication):
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    store.publish(make_publication("v1", {"discover": {"ann": [1]}}), keep=3)
    with pytest.raises(KeyboardInterrupt):
        store.publish(make_publication("v2", {"discover": {"ann": [2]}}), keep=3, advance=interrupt)
    assert store.read(ListQuery([ANN])).version == "v1"
    assert [found.version for found in store.manifests()] == ["v1"]
    store.publish(make_publication("v2", {"discover": {"ann": [2]}}), keep=3)
    assert list(store.read(ListQuery([ANN])).products) == [2]


def test_advance_counts_every_list_once(store, make_publication):
    counts: list[int] = []
    lists = {"discover": {f"c{i}": [1] for i in range(2_500)}, "similar": {"p1": [2]}}
    store.publish(make_publication("v1", lists), keep=3, advance=counts.append)
    assert sum(counts) == 2_501


def test_readers_see_whole_versions_while_others_are_published(store, make_publication):
    lists = {"discover": {f"c{i}": [i] for i in range(5)}}
    store.publish(make_publication("v0", lists), keep=2)
    done = threading.Event()

    def publish() -> None:
        for i in range(1, 30):
            store.publish(make_publication(f"v{i:02}", lists), keep=2)
        done.set()

    publisher = threading.Thread(target=publish)
    publisher.start()
    mixed, over = [], False
    while not over:
        over = done.is_set()  # one reading more after the last swap
        reading = store.read(ListQuery([ListKey("discover", owner_id) for owner_id in lists["discover"]]))
        titles = {product.title for product in reading.products.values()}
        if titles != {f"{reading.version} {i}" for i in range(5)}:
            mixed.append((reading.version, titles))
    publisher.join()
    assert mixed == []
    assert reading.version == "v29"


def test_in_memory_a_second_publish_at_the_same_time_is_refused(make_publication):
    store = MemoryVersionStore()

    def publish_too(_: int) -> None:
        with pytest.raises(BusyError, match="another publish is at work"):
            store.publish(make_publication("v2", {"discover": {"ann": [2]}}), keep=3)

    store.publish(make_publication("v1", {"discover": {"ann": [1]}}), keep=3, advance=publish_too)
    assert store.current() == "v1"


@pytest.fixture
def redis_store(redis_shop) -> Iterator[RedisVersionStore]:
    store = RedisShopStorage(redis_shop.url, timeout_ms=5_000).store(redis_shop.shop)
    yield store
    store.close()


def test_two_shops_on_one_server_do_not_see_each_other(redis_store, redis_shop, make_publication):
    other_shop = replace(redis_shop, shop=f"{redis_shop.shop}-b")
    other = RedisShopStorage(redis_shop.url, timeout_ms=5_000).store(other_shop.shop)
    redis_store.publish(make_publication("v1", {"discover": {"ann": [1]}}), keep=1)
    other.publish(make_publication("v2", {"discover": {"ann": [2]}}), keep=1)
    assert redis_store.read(ListQuery([ANN])).version == "v1"
    assert [manifest.version for manifest in other.manifests()] == ["v2"]
    assert redis_shop.list_keys().isdisjoint(other_shop.list_keys())
    other.close()


def test_what_a_dead_publish_left_is_deleted(redis_store, redis_shop, make_publication):
    keys = Keys(redis_shop.shop)
    redis_shop.client.call("HSET", keys.versions, "v0", "writing")
    redis_shop.client.call("HSET", keys.version("v0", "discover"), "ann", b"\0")
    redis_store.publish(make_publication("v1", {"discover": {"ann": [1]}}), keep=3)
    assert not [key for key in redis_shop.list_keys() if ":v0:" in key]
    assert redis_store.manifests()[0].version == "v1"


def test_a_half_written_version_is_not_activated(redis_store, redis_shop):
    redis_shop.client.call("HSET", Keys(redis_shop.shop).versions, "v0", "writing")
    with pytest.raises(VersionNotFoundError):
        redis_store.activate("v0")
    assert redis_store.manifests() == []


def test_deleted_versions_leave_no_key(redis_store, redis_shop, make_publication):
    for version in ("v1", "v2"):
        redis_store.publish(make_publication(version, {"discover": {"ann": [1]}, "similar": {"p1": [2]}}), keep=1)
    assert {key.rsplit("}:")[1] for key in redis_shop.list_keys()} == {
        "current",
        "versions",
        "v:v2:manifest",
        "v:v2:products",
        "v:v2:indices",
        "v:v2:discover",
        "v:v2:similar",
    }


def test_a_reading_is_one_round_trip(redis_store, redis_shop, make_publication):
    redis_store.publish(make_publication("v1", {"discover": {"ann": [1]}, "similar": {"p1": [2]}}), keep=3)
    redis_store.read(ListQuery([ANN]))  # connects, and teaches the server the script
    client = redis_shop.client
    before = _commands_of_clients(client)
    redis_store.read(ListQuery([ANN, ListKey("similar", "p1"), ListKey("popular", "")]))
    after = _commands_of_clients(client)
    assert {name: after[name] - before.get(name, 0) for name in after if after[name] != before.get(name, 0)} == {
        # `info` is this test's own; the others run on the server, inside the one script
        "info": 1,
        "evalsha": 1,
        "get": 1,
        "hget": 3,
        "hmget": 1,
    }


def _commands_of_clients(client) -> dict[str, int]:
    stats = client.call("INFO", "commandstats")
    return {name.removeprefix("cmdstat_"): value["calls"] for name, value in stats.items()}


def test_reading_goes_on_after_the_server_forgot_the_script(redis_store, redis_shop, make_publication):
    redis_store.publish(make_publication("v1", {"discover": {"ann": [1]}}), keep=3)
    redis_store.read(ListQuery([ANN]))
    redis_shop.client.call("SCRIPT", "FLUSH")
    assert redis_store.read(ListQuery([ANN])).version == "v1"


def test_a_publish_is_refused_while_another_renews_its_lock(redis_store, redis_shop, make_publication):
    client, over = redis_shop.client, threading.Event()
    client.call("SET", Keys(redis_shop.shop).publishing, "other", "PX", 60_000)

    def renew() -> None:
        while not over.wait(0.01):
            client.call("PEXPIRE", Keys(redis_shop.shop).publishing, 60_000)

    other = threading.Thread(target=renew)
    other.start()
    with pytest.raises(BusyError, match=f"another publish of shop '{redis_shop.shop}' is at work"):
        redis_store.publish(make_publication("v1", {}), keep=3)
    over.set()
    other.join()
    assert redis_store.current() is None


def test_a_publish_waits_for_the_lock_of_a_dead_one(redis_store, redis_shop, make_publication):
    redis_shop.client.call("SET", Keys(redis_shop.shop).publishing, "dead", "PX", 150)
    redis_store.publish(make_publication("v1", {}), keep=3)
    assert redis_store.current() == "v1"


def test_a_publish_that_lost_its_lock_does_not_go_live(redis_store, redis_shop, make_publication):
    client = redis_shop.client
    with pytest.raises(BusyError, match="publish again"):
        redis_store.publish(
            make_publication("v1", {"discover": {"ann": [1]}}),
            keep=3,
            advance=lambda _: client.call("SET", Keys(redis_shop.shop).publishing, "other", "PX", 60_000),
        )
    assert redis_store.current() is None
    assert client.call("GET", Keys(redis_shop.shop).publishing) == b"other"


def test_a_product_that_redis_lost_is_left_out(redis_store, redis_shop, make_publication):
    redis_store.publish(make_publication("v1", {"discover": {"ann": [1, 2]}}), keep=3)
    redis_shop.client.call("HDEL", Keys(redis_shop.shop).version("v1", "products"), "2")
    assert list(redis_store.read(ListQuery([ANN])).products) == [1]
