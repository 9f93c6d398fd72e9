"""A cluster of three primaries, each with a replica, for real: publish, serve, fail over, move a shop, serve again."""

import inspect
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import pytest

from recommender.campaigns.suppressions import collect, erase, restore
from recommender.data_dir import DataDirectory
from recommender.errors import StoreFullError, StoreUnavailableError
from recommender.events.event import Event
from recommender.publication.lists import ListKey
from recommender.redis.keys import API_KEYS, Keys
from recommender.redis.shops import RedisShopStorage
from recommender.redis.versions import RedisVersionStore
from recommender.storage.api_keys import ApiKey
from recommender.storage.versions import ListQuery, VersionStore, rollback
from tests.contract import test_store as contract
from tests.support.failover import PROGRAMS, TIMEOUT_MS, watch_outage
from tests.support.redis_servers import PASSWORD, RedisCluster, RedisServer, redis_cluster, redis_server, wait_until

pytestmark = pytest.mark.slow

ANN = ListKey("discover", "ann")
LISTS = {"discover": {"ann": [3, 1]}, "popular": {"": [2]}}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory) -> Iterator[RedisCluster]:
    """One for the tests that break nothing."""
    with redis_cluster(tmp_path_factory.mktemp("cluster")) as started:
        yield started


@pytest.fixture
def store(cluster, shop) -> Iterator[VersionStore]:
    with closing(RedisShopStorage(cluster.url, timeout_ms=5_000)) as storage:
        yield storage.store(shop)


# What every store promises, this one promises too.
globals().update(
    {
        name: test
        for name, test in vars(contract).items()
        if name.startswith("test_") and "store" in inspect.signature(test).parameters
    }
)


def test_the_promises_of_every_store_are_tested_here():
    assert "test_readers_see_whole_versions_while_others_are_published" in globals()


def test_each_shop_is_on_one_server_and_shops_are_on_all(cluster, make_publication):
    shops = [_shop_on(cluster, shard) for shard in range(3)]
    with closing(RedisShopStorage(cluster.url, timeout_ms=5_000)) as storage:
        for shop in shops:
            storage.store(shop).publish(make_publication(f"of-{shop}", LISTS), keep=3)
        assert [storage.store(shop).read(ListQuery([ANN])).version for shop in shops] == [
            f"of-{shop}" for shop in shops
        ]
    for shop, server in zip(shops, cluster.primaries, strict=True):
        found = {key for key in server.call("KEYS", "*") if any(f"{{{other}}}" in key for other in shops)}
        assert len(found) == 7
        assert all(f"{{{shop}}}" in key for key in found)


def test_what_one_server_lost_of_its_shops_comes_back_to_it(cluster, tmp_path):
    home, now = DataDirectory(tmp_path), datetime(2026, 11, 20, tzinfo=UTC)
    with closing(RedisShopStorage(cluster.url, timeout_ms=5_000)) as storage:
        shops = [_shop_on(cluster, shard) for shard in range(3)]
        for shop in shops:
            left = Event(event_id="1", event_type="unsubscribe", customer_id="ann", occurred_at=now)
            storage.event_log(shop).accept([left], now, 10)
            erase(storage, shop, "bob", now)
            collect(storage, shop, home)
        assert len({storage.contacts(shop).server() for shop in shops}) == 3
        for shop, server in zip(shops, cluster.primaries, strict=True):
            lost = [key for key in server.call("KEYS", "*") if f"{{{shop}}}" in key]
            server.call("DEL", *lost)
            assert restore(storage, shop, home) == 2
            assert storage.contacts(shop).standings(["ann"])[0].unsubscribed
            assert storage.contacts(shop).standings(["bob"])[0].erased


def test_api_keys_are_on_whichever_server_their_slot_is(cluster):
    key = ApiKey("k1", "corner-shop", "secret", ("read",), (), "0" * 64, "2026-11-20T00:00:00+00:00")
    with closing(RedisShopStorage(cluster.url, timeout_ms=5_000)) as storage:
        storage.add_api_key(key)
        assert storage.api_keys() == {"k1": key}
        assert cluster.primaries[cluster.shard_of(API_KEYS)].call("HLEN", API_KEYS) == 1
        assert storage.add_requests({"k1": 2}) == {"k1": 2}


def test_any_one_server_is_enough_to_find_the_others(cluster, store, shop, make_publication):
    store.publish(make_publication("v1", LISTS), keep=3)
    for server in (*cluster.primaries, *cluster.replicas):
        with closing(RedisShopStorage(server.url.replace("redis:", "redis+cluster:"), timeout_ms=1_000)) as storage:
            assert list(storage.store(shop).read(ListQuery([ANN])).products) == [3, 1]


def test_a_server_is_looked_up_once(cluster, store, shop, make_publication):
    store.publish(make_publication("v1", LISTS), keep=3)
    store.read(ListQuery([ANN]))
    before = _look_ups(cluster)
    for _ in range(20):
        store.read(ListQuery([ANN]))
    assert _look_ups(cluster) == before


def test_the_address_of_one_server_does_not_do_for_a_cluster(cluster):
    elsewhere = _shop_on(cluster, 1)
    with (
        closing(RedisShopStorage(cluster.primaries[0].url, timeout_ms=1_000)) as storage,
        pytest.raises(StoreUnavailableError, match=r"let REPRISE_REDIS_URL begin with redis\+cluster://"),
    ):
        storage.store(elsewhere).read(ListQuery([]))


def test_one_server_is_not_a_cluster(tmp_path):
    with (
        redis_server(tmp_path) as server,
        closing(RedisShopStorage(server.url.replace("redis:", "redis+cluster:"), timeout_ms=1_000)) as storage,
        pytest.raises(StoreUnavailableError, match="is not a cluster; let REPRISE_REDIS_URL begin with redis://"),
    ):
        storage.store("corner-shop").read(ListQuery([]))


def test_a_shop_is_followed_to_another_server(cluster, make_publication):
    shop = _shop_on(cluster, 0)
    with closing(RedisShopStorage(cluster.url, timeout_ms=TIMEOUT_MS)) as storage:
        store = storage.store(shop)
        store.publish(make_publication("v1", LISTS), keep=3)
        keys = cluster.primaries[0].call("KEYS", f"*{{{shop}}}*")
        _begin_to_move(cluster, shop)
        for key in keys:
            _answers_right(store)
            _move(cluster, key)
        _answers_right(store)
        _end_to_move(cluster, shop)
        wait_until(lambda: _answers_right(store), "the shop is found where it went")
        store.publish(make_publication("v2", LISTS), keep=3)
        assert store.read(ListQuery([ANN])).products[3].title == "v2 3"


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_shop_goes_on_after_its_primary_was_killed(tmp_path, program, make_publication):
    with (
        redis_cluster(tmp_path, program) as cluster,
        closing(RedisShopStorage(cluster.url, timeout_ms=TIMEOUT_MS)) as storage,
    ):
        store = storage.store("corner-shop")
        shard = cluster.shard_of(Keys("corner-shop").current)
        primary, replica = cluster.primaries[shard], cluster.replicas[shard]
        for version in ("v1", "v2"):
            store.publish(make_publication(version, LISTS), keep=3)
        assert list(store.read(ListQuery([ANN])).products) == [3, 1]
        wait_until(lambda: _offset(primary) == _offset(replica), "the replica has all")

        outage = watch_outage(store, primary.kill)
        assert outage.version == "v2"
        assert outage.errors

        store.publish(make_publication("v3", LISTS), keep=3)
        assert store.read(ListQuery([ANN])).products[3].title == "v3 3"
        assert rollback(store) == "v2"
        assert store.read(ListQuery([ANN])).products[3].title == "v2 3"
        with closing(RedisShopStorage(cluster.url, timeout_ms=1_000)) as newcomer:  # the address names a dead server
            assert newcomer.store("corner-shop").read(ListQuery([ANN])).version == "v2"


def test_a_primary_that_hung_is_not_asked_when_it_comes_back(tmp_path, make_publication):
    with (
        redis_cluster(tmp_path) as cluster,
        closing(RedisShopStorage(cluster.url, timeout_ms=TIMEOUT_MS)) as storage,
    ):
        store = storage.store("corner-shop")
        shard = cluster.shard_of(Keys("corner-shop").current)
        primary, replica = cluster.primaries[shard], cluster.replicas[shard]
        store.publish(make_publication("v1", LISTS), keep=3)
        wait_until(lambda: _offset(primary) == _offset(replica), "the replica has all")

        outage = watch_outage(store, primary.pause)
        assert outage.version == "v1"
        assert any("did not answer within 0.1 s" in error for error in outage.errors)

        primary.resume()
        wait_until(lambda: primary.call("INFO", "replication")["role"] == "slave", "it became the replica")
        store.publish(make_publication("v2", LISTS), keep=3)
        assert store.read(ListQuery([])).version == "v2"
        assert replica.call("GET", Keys("corner-shop").current) == "v2"


def _shop_on(cluster: RedisCluster, shard: int) -> str:
    """The name of a shop whose keys the given primary holds; another one for each test that calls it."""
    caller = inspect.stack()[1].function.replace("_", "-")[-40:]
    names = (f"{caller}-{number}" for number in range(1_000))
    return next(name for name in names if cluster.shard_of(Keys(name).current) == shard)


def _look_ups(cluster: RedisCluster) -> int:
    stats = [server.call("INFO", "commandstats") for server in (*cluster.primaries, *cluster.replicas)]
    return sum(found.get("cmdstat_cluster|slots", {"calls": 0})["calls"] for found in stats)


def _offset(server: RedisServer) -> int:
    return int(server.call("INFO", "replication")["master_repl_offset"])


def _slot(cluster: RedisCluster, shop: str) -> int:
    return int(cluster.primaries[0].call("CLUSTER", "KEYSLOT", Keys(shop).current))


def _begin_to_move(cluster: RedisCluster, shop: str) -> None:
    """From the first primary to the second."""
    source, target, slot = *cluster.primaries[:2], _slot(cluster, shop)
    target.call("CLUSTER", "SETSLOT", slot, "IMPORTING", source.call("CLUSTER", "MYID"))
    source.call("CLUSTER", "SETSLOT", slot, "MIGRATING", target.call("CLUSTER", "MYID"))


def _end_to_move(cluster: RedisCluster, shop: str) -> None:
    source, target, slot = *cluster.primaries[:2], _slot(cluster, shop)
    for server in (target, source):
        server.call("CLUSTER", "SETSLOT", slot, "NODE", target.call("CLUSTER", "MYID"))


def _move(cluster: RedisCluster, key: str) -> None:
    source, target = cluster.primaries[:2]
    assert source.call("MIGRATE", "127.0.0.1", target.port, key, 0, 5_000, "AUTH", PASSWORD) in (True, "OK")


def _answers_right(store: RedisVersionStore) -> bool:
    """Whether the store answers. Fails where its answer is wrong."""
    try:
        reading = store.read(ListQuery([ANN]))
    except StoreUnavailableError:
        return False
    assert reading.version == "v1"
    assert list(reading.products) == [3, 1]
    return True


def test_the_memory_that_counts_is_that_of_the_shops_server(cluster, make_publication):
    shop = _shop_on(cluster, 0)
    server = cluster.primaries[0]
    server.call("CONFIG", "SET", "maxmemory", server.call("INFO", "memory")["used_memory"] + 500_000)
    publication = make_publication("v1", {"discover": {f"c{i}": [1] for i in range(20_000)}})
    with closing(RedisShopStorage(cluster.url, timeout_ms=5_000)) as storage:
        with pytest.raises(StoreFullError, match=r"needs about .* bytes"):
            storage.store(shop).publish(publication, keep=3)
        server.call("CONFIG", "SET", "maxmemory", 0)
        storage.store(shop).publish(publication, keep=3)
