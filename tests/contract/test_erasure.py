"""What every VersionStore promises about erased customers."""

from dataclasses import replace
from datetime import UTC, datetime

from recommender.publication.lists import ListKey
from recommender.redis.publish import Publisher
from recommender.redis.shops import RedisShopStorage
from recommender.storage.versions import ListQuery, VersionStore
from tests.support.profiles import make_profile, make_table

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
LISTS = {"discover": {"ann": [1], "bob": [2]}, "buy_again": {"ann": [3]}, "similar": {"ann": [4]}}
ALL = [ListKey("discover", "ann"), ListKey("buy_again", "ann"), ListKey("similar", "ann"), ListKey("discover", "bob")]


def found(store: VersionStore, version: str | None = None) -> list[bool]:
    return [one is not None for one in store.read(ListQuery(ALL, version)).lists.values()]


def test_the_lists_of_every_version_go_and_those_of_others_stay(store, make_publication):
    for version in ("v1", "v2"):
        store.publish(make_publication(version, LISTS), keep=3)
    assert store.erase("ann", NOW) == 4
    assert found(store, "v1") == found(store, "v2") == [False, False, True, True]


def test_before_any_version_nothing_goes_and_later_ones_leave_the_customer_out(store, make_publication):
    assert store.erase("ann", NOW) == 0
    store.publish(make_publication("v1", LISTS), keep=3)
    assert found(store) == [False, False, True, True]
    assert store.manifests()[0].lists["discover"] == 1


def test_publishing_an_erased_version_again_or_activating_it_brings_nobody_back(store, make_publication):
    for version in ("v1", "v2"):
        store.publish(make_publication(version, LISTS), keep=3)
    store.erase("ann", NOW)
    store.publish(make_publication("v1", LISTS), keep=3)
    assert found(store) == [False, False, True, True]
    store.activate("v2")
    assert found(store) == [False, False, True, True]


def test_it_may_be_repeated_and_is_counted_once(store, make_publication):
    store.publish(make_publication("v1", LISTS), keep=3)
    before = store.follow().erasures
    assert (store.erase("ann", NOW), store.erase("ann", NOW)) == (2, 0)
    assert store.follow().erasures == before + 1


def test_who_is_erased_while_a_version_is_written_is_not_on_it(redis_shop, make_publication, monkeypatch):
    store = RedisShopStorage(redis_shop.url, timeout_ms=5_000).store(redis_shop.shop)
    count_back = Publisher._count_back

    def erase_then_count(publisher: Publisher, *arguments: object) -> None:
        store.erase("ann", NOW)
        count_back(publisher, *arguments)

    monkeypatch.setattr(Publisher, "_count_back", erase_then_count)
    store.publish(make_publication("v1", LISTS), keep=3)
    assert found(store) == [False, False, True, True]
    store.close()


def test_the_profile_goes_with_the_lists_in_the_same_step(store, make_publication):
    profiles = make_table(make_profile("ann"), make_profile("bob"))
    for version in ("v1", "v2"):
        store.publish(replace(make_publication(version, LISTS), profiles=profiles), keep=3)
    assert store.erase("ann", NOW) == 4
    for version in ("v1", "v2", None):
        assert store.profile(version, "ann") is None
        assert store.profile(version, "bob") == make_profile("bob")


def test_a_profile_without_a_list_goes_too(store, make_publication):
    store.publish(replace(make_publication("v1", {}), profiles=make_table(make_profile("ann"))), keep=3)
    assert store.erase("ann", NOW) == 0
    assert store.profile("v1", "ann") is None
    assert store.profiles("v1", 0) == []
