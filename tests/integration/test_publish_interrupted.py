"""A publish that dies, finds no memory or no server: the old version answers, and nothing is left behind."""

import multiprocessing
import os
import re
import signal
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from recommender.connection.client import RedisClient
from recommender.connection.embedded import embedded_server
from recommender.data_dir import DataDirectory
from recommender.errors import SettingsError, StoreFullError, StoreUnavailableError
from recommender.publication.lists import ListKey
from recommender.publication.manifest import Publication
from recommender.redis import publish
from recommender.redis.keys import Keys
from recommender.redis.shops import RedisShopStorage
from recommender.redis.versions import RedisVersionStore
from recommender.storage.versions import ListQuery
from tests.support.profiles import make_profile, make_table

N = 100
LISTS = {"discover": {f"c{i}": [i % 10] for i in range(N)}, "similar": {f"p{i}": [i] for i in range(10)}}
CUSTOMERS = [make_profile(customer_id) for customer_id in LISTS["discover"]]
EVERYTHING = [ListKey(name, owner_id) for name, lists in LISTS.items() for owner_id in lists]


@pytest.fixture
def store(redis_shop) -> Iterator[RedisVersionStore]:
    store = RedisShopStorage(redis_shop.url, timeout_ms=5_000).store(redis_shop.shop)
    yield store
    store.close()


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    _be_hasty(monkeypatch.setattr)


def _be_hasty(set_attribute: Callable[[object, str, int], None]) -> None:
    """Many small batches."""
    set_attribute(publish, "FIELDS_PER_COMMAND", 10)
    set_attribute(publish, "COMMANDS_PER_TRIP", 2)


def _publish_and_die(url: str, shop: str, publication: Publication, n_trips: int) -> None:
    """Publish in this process, which kills itself instead of going to the server once more than `n_trips` times."""
    _be_hasty(setattr)
    trips = 0

    def dying(method: Callable[..., object]) -> Callable[..., object]:
        def call(*args: object) -> object:
            nonlocal trips
            trips += 1
            if trips > n_trips:
                os.kill(os.getpid(), signal.SIGKILL)
            return method(*args)

        return call

    RedisClient.call = dying(RedisClient.call)
    RedisClient.pipeline = dying(RedisClient.pipeline)
    RedisShopStorage(url, timeout_ms=5_000).store(shop).publish(publication, keep=3)


def _kill_after(n_trips: int, redis_shop, publication: Publication) -> int | None:
    child = multiprocessing.get_context("spawn").Process(
        target=_publish_and_die, args=(redis_shop.url, redis_shop.shop, publication, n_trips)
    )
    child.start()
    child.join()
    redis_shop.client.call("PEXPIRE", Keys(redis_shop.shop).publishing, 1)  # as if its time to live were over
    return child.exitcode


@pytest.fixture
def whole(make_publication: Callable[..., Publication]) -> Callable[[str], Publication]:
    """A function that makes a version with lists and profiles."""
    return lambda version: replace(make_publication(version, LISTS), profiles=make_table(*CUSTOMERS))


def _assert_described(store: RedisVersionStore, version: str) -> None:
    assert [store.profile(version, one.customer_id) for one in CUSTOMERS] == CUSTOMERS
    assert sum(len(store.profiles(version, block)) for block in range(store.n_profile_blocks(version))) == N


def _assert_whole(store: RedisVersionStore, version: str) -> None:
    reading = store.read(ListQuery(EVERYTHING))
    assert reading.version == version
    assert [found.records[0].product_index for found in reading.lists.values()] == [
        index for lists in LISTS.values() for (index,) in lists.values()
    ]
    assert {product.title for product in reading.products.values()} == {f"{version} {i}" for i in range(10)}


# 1: locked; 5: marked `writing`; 6, 7: products; 8 to 13: lists; 14: profiles; 15: manifest; 16: counted; 17: current
@pytest.mark.parametrize("n_trips", [1, 2, 5, 6, 8, 13, 14, 15, 16])
@pytest.mark.usefixtures("hasty")
def test_a_killed_publish_leaves_the_old_version(n_trips, redis_shop, store, whole):
    store.publish(whole("v1"), keep=3)
    before = redis_shop.list_keys()
    assert _kill_after(n_trips, redis_shop, whole("v2")) == -signal.SIGKILL
    _assert_whole(store, "v1")
    _assert_described(store, "v1")
    assert [manifest.version for manifest in store.manifests()] == ["v1"]
    left = [key for key in redis_shop.list_keys() if ":v:v2:" in key]
    assert bool(left) == (n_trips >= 6)
    assert (Keys(redis_shop.shop).version("v2", "profiles") in left) == (n_trips >= 14)

    store.publish(whole("v3"), keep=3)
    _assert_whole(store, "v3")
    _assert_described(store, "v3")
    assert redis_shop.list_keys() == before | {key.replace(":v1:", ":v3:") for key in before}
    assert set(redis_shop.client.call("HKEYS", Keys(redis_shop.shop).versions)) == {b"v1", b"v3"}


@pytest.mark.parametrize("n_trips", [17, 18])
@pytest.mark.usefixtures("hasty")
def test_a_publish_killed_after_the_swap_is_complete(n_trips, redis_shop, store, whole):
    store.publish(whole("v1"), keep=3)
    assert _kill_after(n_trips, redis_shop, whole("v2")) == -signal.SIGKILL
    _assert_whole(store, "v2")
    _assert_described(store, "v2")
    assert [manifest.version for manifest in store.manifests()] == ["v2", "v1"]


@pytest.fixture
def small_server(tmp_path: Path, redis_shop, connect: Callable[[str], RedisClient]):
    """A shop on a server of one test, whose limits it may change."""
    with embedded_server(DataDirectory(tmp_path)) as url:
        yield replace(redis_shop, url=url, client=connect(url))


@pytest.fixture
def small_store(small_server) -> Iterator[RedisVersionStore]:
    store = RedisShopStorage(small_server.url, timeout_ms=5_000).store(small_server.shop)
    yield store
    store.close()


def _limit(client: RedisClient, free: int) -> None:
    client.call("CONFIG", "SET", "maxmemory", client.call("INFO", "memory")["used_memory"] + free)


def test_a_version_that_does_not_fit_is_refused_before_anything_is_written(small_server, small_store, make_publication):
    small_store.publish(make_publication("v1", LISTS), keep=3)
    large = make_publication("v2", {"discover": {f"c{i}": range(50) for i in range(10_000)}}, n_products=50)
    before = small_server.list_keys()
    _limit(small_server.client, free=1_000_000)
    with pytest.raises(StoreFullError, match=r"v2 needs about 3,[\d,]+ bytes .* raise its maxmemory"):
        small_store.publish(large, keep=3)
    assert small_server.list_keys() == before
    _assert_whole(small_store, "v1")


def test_a_version_that_takes_more_than_half_is_refused_with_a_size_that_does(
    small_server, small_store, make_publication
):
    large = make_publication("v1", {"discover": {f"c{i}": range(50) for i in range(30_000)}}, n_products=50)
    used = small_server.client.call("INFO", "memory")["used_memory"]
    maxmemory = 16_000_000
    small_server.client.call("CONFIG", "SET", "maxmemory", maxmemory)
    with pytest.raises(StoreFullError) as refused:
        small_store.publish(large, keep=3)
    needed, room, enough = (
        int(re.search(rf"{words} ([\d,]+)", str(refused.value))[1].replace(",", ""))
        for words in ("needs about", "has room for", "maxmemory to")
    )
    assert room == maxmemory * 0.95 // 2
    assert room < needed < maxmemory * 0.95 - used, "all that is in its way is that it takes more than half"
    assert small_store.current() is None
    small_server.client.call("CONFIG", "SET", "maxmemory", enough)
    small_store.publish(large, keep=1)
    small_store.publish(replace(large, manifest=replace(large.manifest, version="v2")), keep=1)
    assert small_store.current() == "v2", "there is room for the next one, too"


def test_memory_that_runs_out_midway_leaves_the_old_version(small_server, small_store, make_publication, monkeypatch):
    small_store.publish(make_publication("v1", LISTS), keep=3)
    large = make_publication("v2", {"discover": {f"c{i}": range(50) for i in range(20_000)}}, n_products=50)
    before = small_server.list_keys()
    monkeypatch.setattr(publish, "estimated_bytes", lambda _: 0)
    _limit(small_server.client, free=2_000_000)
    written: list[int] = []
    with pytest.raises(StoreFullError, match="out of memory; raise its maxmemory"):
        small_store.publish(large, keep=3, advance=written.append)
    assert sum(written) > 0
    assert small_server.list_keys() == before
    _assert_whole(small_store, "v1")
    small_server.client.call("CONFIG", "SET", "maxmemory", 0)
    small_store.publish(large, keep=3)
    assert small_store.current() == "v2"


def test_a_full_server_still_answers(small_server, small_store, make_publication):
    small_store.publish(make_publication("v1", LISTS), keep=3)
    small_server.client.call("CONFIG", "SET", "maxmemory", 1)
    small_server.client.call("SCRIPT", "FLUSH")
    _assert_whole(small_store, "v1")
    with pytest.raises(StoreFullError, match="raise its maxmemory"):
        small_store.publish(make_publication("v2", LISTS), keep=3)


def test_the_estimate_is_close_to_what_redis_uses(small_server, small_store, make_publication):
    small_store.publish(make_publication("v0", {}), keep=3)  # loads scripts and connects
    publication = make_publication("v1", {"discover": {f"customer-{i}": range(50) for i in range(20_000)}})
    before = small_server.client.call("INFO", "memory")["used_memory"]
    small_store.publish(publication, keep=3)
    used = small_server.client.call("INFO", "memory")["used_memory"] - before
    assert 0.9 < publish.estimated_bytes(publication) / used < 1.3


def test_no_server_is_told(tmp_path, make_publication):
    store = RedisShopStorage(f"unix://{tmp_path}/none.sock", timeout_ms=100).store("shop")
    for use in (
        store.current,
        store.manifests,
        lambda: store.read(ListQuery([])),
        lambda: store.publish(make_publication("v1", {}), keep=1),
    ):
        with pytest.raises(StoreUnavailableError, match=r"none\.sock cannot be reached .*REPRISE_REDIS_URL"):
            use()
    store.close()


def test_a_server_that_never_answers_is_given_up_after_the_time_out():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        store = RedisShopStorage(f"redis://:s3cret@127.0.0.1:{silent.getsockname()[1]}", timeout_ms=100).store("shop")
        with pytest.raises(
            StoreUnavailableError, match=r"did not answer within 0\.1 s.*REPRISE_REDIS_TIMEOUT_MS"
        ) as told:
            store.read(ListQuery([]))
        assert "s3cret" not in str(told.value)
        store.close()


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("LOADING Redis is loading the dataset in memory", "is still loading its data; try again"),
        ("READONLY You can't write against a read only replica.", "is a read-only replica; let REPRISE_REDIS_URL"),
        ("BUSY Redis is busy running a script.", "is held up by a script"),
        ("MISCONF Errors writing to the AOF file", "cannot save to its disk; free the disk"),
        ("WRONGPASS invalid username-password pair", "refused the login; see the user and password"),
        ("NOAUTH Authentication required.", "refused the login"),
        ("NOPERM this user has no permissions", "does not permit this"),
        ("ERR unknown command", "Redis 6.2 or later"),
    ],
)
def test_what_the_server_answers_is_translated(redis_url, shop, answer, message, monkeypatch):
    client = RedisClient(redis_url, connect_timeout_s=1, timeout_s=1)
    script = "return redis.error_reply(ARGV[1])"
    with pytest.raises(StoreUnavailableError, match=message):
        client.evaluate(script, [], answer)
    with pytest.raises(StoreUnavailableError, match=message):
        client.pipeline([("PING",), ("EVAL", script, 0, answer)])
    client.close()


@pytest.mark.parametrize(
    "url",
    [
        "localhost:6379",
        "s3cret@localhost:6379",
        "http://:s3cret@localhost",
        "redis://:s3cret@localhost:port",
        "redis://:s3cret@localhost:6379?no_such_option=s3cret",
        "redis://:s3cret@[::1",
        "redis://:s3cret@localhost?socket_timeout=soon",
        "unix://",
        "",
    ],
)
def test_an_address_that_cannot_be_is_refused_without_its_password(url):
    with pytest.raises(SettingsError, match=r"redis_url .* write redis://host:6379/0") as told:
        RedisShopStorage(url, timeout_ms=100).store("shop")
    assert "s3cret" not in str(told.value)


def test_a_wrong_password_is_not_told(small_server):
    small_server.client.call("CONFIG", "SET", "requirepass", "right")
    store = RedisShopStorage(small_server.url.replace("unix://", "unix://:s3cret@"), timeout_ms=1_000).store("shop")
    with pytest.raises(StoreUnavailableError, match="refused the login") as told:
        store.current()
    assert "s3cret" not in str(told.value)
    store.close()
    small_server.client.call("CONFIG", "SET", "requirepass", "")
