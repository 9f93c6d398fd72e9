"""A primary with a replica and three sentinels, for real: publish, serve, fail over, serve again."""

from contextlib import closing

import pytest

from recommender.errors import StoreUnavailableError
from recommender.redis.shops import RedisShopStorage
from recommender.storage.versions import ListKey, ListQuery, rollback
from tests.support.failover import PROGRAMS, TIMEOUT_MS, watch_outage
from tests.support.redis_servers import PASSWORD, PRIMARY_NAME, WatchedPrimary, wait_until, watched_primary

pytestmark = pytest.mark.slow

ANN = ListKey("discover", "ann")
LISTS = {"discover": {"ann": [3, 1]}, "popular": {"": [2]}}


def _has_everything(watched: WatchedPrimary) -> bool:
    """Whether the replica holds what the primary holds; what it does not is lost in a failover."""
    offsets = [
        server.call("INFO", "replication")["master_repl_offset"] for server in (watched.primary, watched.replica)
    ]
    return offsets[0] == offsets[1]


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_shop_goes_on_after_its_primary_was_killed(tmp_path, program, make_publication):
    with (
        watched_primary(tmp_path, program) as watched,
        closing(RedisShopStorage(watched.url, timeout_ms=TIMEOUT_MS)) as storage,
    ):
        store = storage.store("corner-shop")
        for version in ("v1", "v2"):
            store.publish(make_publication(version, LISTS), keep=3)
        assert list(store.read(ListQuery([ANN])).products) == [3, 1]
        wait_until(lambda: _has_everything(watched), "the replica has all")

        outage = watch_outage(store, watched.primary.kill)
        assert outage.version == "v2"
        assert outage.errors

        store.publish(make_publication("v3", LISTS), keep=3)
        assert store.read(ListQuery([ANN])).products[3].title == "v3 3"
        assert rollback(store) == "v2"
        assert store.read(ListQuery([ANN])).products[3].title == "v2 3"
        assert watched.replica.call("GET", "reprise:{corner-shop}:current") == "v2"


def test_a_primary_that_hung_is_not_asked_when_it_comes_back(tmp_path, make_publication):
    with (
        watched_primary(tmp_path) as watched,
        closing(RedisShopStorage(watched.url, timeout_ms=TIMEOUT_MS)) as storage,
    ):
        store = storage.store("corner-shop")
        store.publish(make_publication("v1", LISTS), keep=3)
        wait_until(lambda: _has_everything(watched), "the replica has all")

        outage = watch_outage(store, watched.primary.pause)
        assert outage.version == "v1"
        assert any("did not answer within 0.1 s" in error for error in outage.errors)

        wait_until(lambda: _name_the_replica(watched), "every sentinel knows of the failover")
        watched.primary.resume()
        assert watched.primary.call("INFO", "replication")["role"] == "master"  # as far as it knows
        store.publish(make_publication("v2", LISTS), keep=3)
        assert store.read(ListQuery([])).version == "v2"
        assert watched.replica.call("GET", "reprise:{corner-shop}:current") == "v2"


def _name_the_replica(watched: WatchedPrimary) -> bool:
    """Whether all sentinels do; those that only watched the failover hear of it up to two seconds later."""
    return all(
        sentinel.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", PRIMARY_NAME)[1] == str(watched.replica.port)
        for sentinel in watched.sentinels
    )


def test_sentinels_that_die_or_hang_are_passed_over(tmp_path, make_publication):
    with (
        watched_primary(tmp_path) as watched,
        closing(RedisShopStorage(watched.url, timeout_ms=TIMEOUT_MS)) as before,
    ):
        before.store("corner-shop").publish(make_publication("v1", LISTS), keep=3)
        before.store("corner-shop").read(ListQuery([]))
        watched.sentinels[0].kill()
        with closing(RedisShopStorage(watched.url, timeout_ms=TIMEOUT_MS)) as storage:
            assert storage.store("corner-shop").read(ListQuery([])).version == "v1"
        watched.sentinels[1].pause()
        with closing(RedisShopStorage(watched.url, timeout_ms=TIMEOUT_MS)) as storage:
            outage = watch_outage(storage.store("corner-shop"), lambda: None)
        assert len(outage.errors) <= 1
        watched.sentinels[2].kill()
        # nobody is asked while the primary answers
        assert before.store("corner-shop").read(ListQuery([])).version == "v1"


def test_a_primary_that_sentinels_do_not_know_is_named(tmp_path):
    with watched_primary(tmp_path) as watched:
        url = watched.url.replace(PRIMARY_NAME, "other-name")
        with closing(RedisShopStorage(url, timeout_ms=1_000)) as storage:
            with pytest.raises(StoreUnavailableError, match="the sentinels know no primary 'other-name'") as told:
                storage.store("corner-shop").read(ListQuery([]))
            assert PASSWORD not in str(told.value)
