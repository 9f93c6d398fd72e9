"""What every VersionStore promises about the profiles of a version."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from recommender.errors import StoreError, VersionNotFoundError
from recommender.person import digest_of_person
from recommender.publication.manifest import Publication
from recommender.publication.profile import Profile
from recommender.publication.profile_blocks import PER_BLOCK, block_of
from recommender.redis.keys import Keys
from recommender.redis.publish import Publisher, estimated_bytes
from recommender.redis.shops import RedisShopStorage
from recommender.redis.versions import RedisVersionStore
from recommender.storage.versions import VersionStore
from tests.support.hostile_ids import HOSTILE_IDS
from tests.support.profiles import make_newcomer, make_profile, make_table, same

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ANN, BOB = make_profile("ann", orders=7), make_newcomer("bob")
MANY = [make_profile(f"c{i:03}", orders=i + 1) for i in range(3 * PER_BLOCK)]
HALF_PAIRS = ["\ud800", "\udfff", "a\udc80b"]
"""JSON can carry half a surrogate pair."""


@pytest.fixture
def redis_store(redis_shop) -> Iterator[RedisVersionStore]:
    store = RedisShopStorage(redis_shop.url, timeout_ms=5_000).store(redis_shop.shop)
    yield store
    store.close()


@pytest.fixture
def version(make_publication):
    """A function that makes a version with these customers."""

    def make(name: str, *profiles: Profile) -> Publication:
        made = make_publication(name, {"discover": {profile.customer_id: [1] for profile in profiles}})
        counts = {**made.manifest.counts, "profiles": len(profiles)}
        return replace(made, manifest=replace(made.manifest, counts=counts), profiles=make_table(*profiles))

    return make


def everybody(store: VersionStore, version: str) -> list[Profile]:
    return [profile for block in range(store.n_profile_blocks(version)) for profile in store.profiles(version, block)]


def test_before_any_version_nobody_is_known(store):
    assert store.profile(None, "ann") is None
    assert store.profile("v1", "ann") is None
    assert store.n_profile_blocks("v1") == 0
    with pytest.raises(VersionNotFoundError, match="'v1' has no block 0"):
        store.profiles("v1", 0)


def test_what_was_published_comes_back_whole(store, version):
    store.publish(version("v1", BOB, ANN), keep=3)
    assert store.profile("v1", "ann") == ANN
    assert same(store.profile(None, "bob"), BOB)
    assert store.profile("v1", "carl") is None
    assert [profile.customer_id for profile in everybody(store, "v1")] == ["ann", "bob"]


def test_every_version_has_its_own_and_none_means_the_current_one(store, version):
    store.publish(version("v1", ANN), keep=3)
    store.publish(version("v2", replace(ANN, orders=8)), keep=3)
    assert [store.profile(name, "ann").orders for name in ("v1", "v2", None)] == [7, 8, 8]
    store.activate("v1")
    assert store.profile(None, "ann").orders == 7


def test_a_version_that_is_no_longer_kept_gives_the_current_profile_and_no_blocks(store, version):
    store.publish(version("v1", ANN), keep=1)
    store.publish(version("v2", replace(ANN, orders=8)), keep=1)
    assert store.profile("v1", "ann").orders == 8
    assert store.n_profile_blocks("v1") == 0
    with pytest.raises(VersionNotFoundError, match="'v1' has no block 0"):
        store.profiles("v1", 0)


def test_a_version_of_an_earlier_release_knows_nobody(store, make_publication):
    store.publish(make_publication("v1", {"discover": {"ann": [1]}}), keep=3)
    assert store.profile(None, "ann") is None
    assert store.n_profile_blocks("v1") == 0


def test_a_version_without_a_customer_has_one_block_that_is_empty(store, version):
    store.publish(version("v1"), keep=3)
    assert store.n_profile_blocks("v1") == 1
    assert store.profiles("v1", 0) == []
    assert store.profile("v1", "ann") is None


def test_all_blocks_hold_everybody_once_each_in_order_of_their_ids(store, version):
    store.publish(version("v1", *reversed(MANY)), keep=3)
    assert store.n_profile_blocks("v1") == 3
    blocks = [store.profiles("v1", block) for block in range(3)]
    assert sorted((one for block in blocks for one in block), key=lambda one: one.customer_id) == MANY
    for number, block in enumerate(blocks):
        ids = [one.customer_id for one in block]
        assert ids == sorted(ids)
        assert {block_of(digest_of_person(one, None), 3) for one in ids} == {number}
    assert [store.profile("v1", one.customer_id) for one in MANY] == MANY
    for block in (3, -1):
        with pytest.raises(VersionNotFoundError, match=f"'v1' has no block {block}"):
            store.profiles("v1", block)


def test_any_string_is_a_customer(store, version):
    ids = [*HOSTILE_IDS, *HALF_PAIRS, "", "x" * 10_240]
    store.publish(version("v1", *(make_profile(one, orders=i + 1) for i, one in enumerate(ids))), keep=3)
    assert [store.profile("v1", one).orders for one in ids] == list(range(1, len(ids) + 1))
    assert sorted(one.customer_id for one in everybody(store, "v1")) == sorted(ids)
    assert store.profile("v1", "x" * 511) is None
    for one in ids:
        store.erase(one, NOW)
    assert everybody(store, "v1") == []


def test_who_is_erased_is_gone_from_every_version_and_the_others_stay(store, version):
    for name in ("v1", "v2"):
        store.publish(version(name, *MANY), keep=3)
    gone = MANY[100]
    assert store.erase(gone.customer_id, NOW) == 2  # lists
    for name in ("v1", "v2"):
        assert store.profile(name, gone.customer_id) is None
        assert [one for one in MANY if one != gone] == sorted(everybody(store, name), key=lambda one: one.customer_id)
    assert store.erase(gone.customer_id, NOW) == 0


def test_whoever_shares_the_end_or_the_start_of_an_id_stays(store, version):
    family = [make_profile(one) for one in ("a", "aa", "aaa", "baa", "aab")]
    store.publish(version("v1", *family), keep=3)
    store.erase("aa", NOW)
    assert [one.customer_id for one in everybody(store, "v1")] == ["a", "aaa", "aab", "baa"]


def test_later_versions_leave_the_erased_out_and_say_so(store, version):
    store.erase("ann", NOW)
    store.publish(version("v1", ANN, BOB), keep=3)
    assert store.profile("v1", "ann") is None
    assert same(store.profile("v1", "bob"), BOB)
    assert store.manifests()[0].counts["profiles"] == 1


def test_erasing_in_a_version_without_profiles_takes_the_lists(store, make_publication):
    store.publish(make_publication("v1", {"discover": {"ann": [1]}}), keep=3)
    assert store.erase("ann", NOW) == 1


def test_a_publish_that_is_broken_off_leaves_the_profiles_of_before(store, version):
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    store.publish(version("v1", ANN), keep=3)
    with pytest.raises(KeyboardInterrupt):
        store.publish(version("v2", BOB), keep=3, advance=interrupt)
    assert store.n_profile_blocks("v2") == 0
    assert store.profile("v2", "ann") == ANN


def test_who_is_erased_while_a_version_is_written_is_not_in_it(redis_store, version, monkeypatch):
    count_back = Publisher._count_back

    def erase_then_count(publisher: Publisher, *arguments: object) -> None:
        redis_store.erase("ann", NOW)
        count_back(publisher, *arguments)

    monkeypatch.setattr(Publisher, "_count_back", erase_then_count)
    redis_store.publish(version("v1", ANN, BOB), keep=3)
    assert [one.customer_id for one in everybody(redis_store, "v1")] == ["bob"]


def test_a_block_that_was_not_written_is_noticed(redis_store, redis_shop, version, monkeypatch):
    count_back = Publisher._count_back

    def lose_then_count(publisher: Publisher, *arguments: object) -> None:
        redis_shop.client.call("HDEL", Keys(redis_shop.shop).version("v1", "profiles"), "1")
        count_back(publisher, *arguments)

    monkeypatch.setattr(Publisher, "_count_back", lose_then_count)
    with pytest.raises(StoreError, match="v1 has only 2 of 3 profiles"):
        redis_store.publish(version("v1", *MANY), keep=3)
    assert redis_store.current() is None
    assert not [key for key in redis_shop.list_keys() if ":v:" in key]


def test_deleted_versions_leave_no_key(redis_store, redis_shop, version):
    for name in ("v1", "v2"):
        redis_store.publish(version(name, ANN), keep=1)
    assert {key for key in redis_shop.list_keys() if ":v:" in key and "profiles" in key} == {
        Keys(redis_shop.shop).version("v2", "profiles")
    }
    assert not [key for key in redis_shop.list_keys() if ":v1:" in key]


def test_a_profile_is_one_round_trip(redis_store, redis_shop, version):
    redis_store.publish(version("v1", *MANY), keep=3)

    def calls() -> dict[str, int]:
        stats = redis_shop.client.call("INFO", "commandstats")
        return {name.removeprefix("cmdstat_"): value["calls"] for name, value in stats.items()}

    redis_store.profile("v1", "c100")  # connects
    before = calls()
    redis_store.profile("v1", "c100")
    after = calls()
    assert {name: after[name] - before.get(name, 0) for name in after if after[name] != before.get(name, 0)} == {
        # `info` is this test's own; the others run on the server, inside the one script
        "info": 1,
        "eval": 1,
        "hget": 2,
        "hlen": 1,
    }


@pytest.mark.parametrize("wire", [b"\x03", b"\x03\x00ann", b"\xff\xffann", b"\x01\x00\xff" + bytes(41)])
def test_nonsense_in_redis_is_an_error_of_the_store(redis_store, redis_shop, version, wire):
    redis_store.publish(version("v1", ANN), keep=3)
    redis_shop.client.call("HSET", Keys(redis_shop.shop).version("v1", "profiles"), "0", wire)
    with pytest.raises(StoreError, match=r"holds profiles of shop .* publish again, or roll back"):
        redis_store.profiles("v1", 0)
    if len(wire) < 10:
        with pytest.raises(StoreError, match="holds a profile of shop"):
            redis_store.profile("v1", "ann")


def test_the_estimate_is_close_to_what_redis_uses(redis_store, redis_shop, version):
    lists = version("v1")
    full = replace(lists, profiles=make_table(*(make_profile(f"customer-{i:06}") for i in range(20_000))))
    redis_store.publish(full, keep=3)
    used = redis_shop.client.call("MEMORY", "USAGE", Keys(redis_shop.shop).version("v1", "profiles"), "SAMPLES", 0)
    estimated = estimated_bytes(full) - estimated_bytes(replace(lists, profiles=None))
    assert 0.95 < estimated / used < 1.15
    assert used / 20_000 < 70  # of which 15 are the id and its length
