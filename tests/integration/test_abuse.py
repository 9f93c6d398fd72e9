"""`reprise serve` under abuse: slow clients, made-up ids, and ids that look like something else."""

import os
import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

import pytest

from api.web.body_limits import MAX_BODY_BYTES
from recommender.publication.manifest import Publication
from recommender.publication.product import Product
from recommender.redis.shops import RedisShopStorage
from tests.conftest import build_publication
from tests.support.hostile_ids import HOSTILE_IDS
from tests.support.raw_http import (
    Address,
    chunks,
    connect,
    exchange,
    flood,
    get,
    is_closed,
    post,
    read_rest,
    statuses,
    trickle_until_closed,
)
from tests.support.redis_servers import WAIT_S, RedisServer, redis_server, wait_until
from tests.support.served import PUBLIC, Served, serve, store_of, version, version_name

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc to look at processes")

JSON = b'{"placement":"home"}'
NEVER_WRITTEN = re.compile(r"cmdstat_(set|del|unlink|hset|hdel|incr|xadd|lpush|sadd|expire|rename|flush|getdel|setex)")
N_SLOW = 30
"""Of each kind."""
N_UNREAD = 50
HEAD = b"GET /v1/popular HTTP/1.1\r\nHost: localhost\r\n"
SLOW = {
    "say nothing": b"",
    "never end their first line": b"GET /v1/pop",
    "never end their headers": HEAD + b"X-Slow: ",
    "send no body": post("/v1/recommendations", b"")[:-4].replace(b"Length: 0", b"Length: 20") + b"\r\n\r\n",
    "send half a body": post("/v1/recommendations", JSON)[:-10],
    "send half a chunk": post("/v1/events", b"5\r\n{", "Transfer-Encoding: chunked", length=False),
    "ask once and stay": get("/v1/popular"),
}
BIT_BY_BIT = {
    "letters of a head": (HEAD, b"X"),
    "headers": (HEAD, b"X-Slow: 1\r\n"),
    "letters of a body": (post("/v1/recommendations", b" " * 1_000)[:-1_000], b" "),
    "chunks": (post("/v1/recommendations", b"", "Transfer-Encoding: chunked", length=False), b"1\r\n \r\n"),
}
"""What is sent first, and then over and over."""


@dataclass(frozen=True)
class World:
    """A running service, and the Redis behind it."""

    served: Served
    redis: RedisServer

    def written(self) -> dict[str, str]:
        """How often each command that writes ran."""
        stats: dict[str, dict[str, str]] = self.redis.call("INFO", "commandstats")
        return {name: stats[name]["calls"] for name in stats if NEVER_WRITTEN.match(name)}

    def snapshot(self, shop: str) -> dict[str, str]:
        """Every key of a shop, with a digest of what is in it."""
        keys = sorted(self.redis.call("KEYS", f"reprise:{{{shop}}}:*"))
        return {
            key: self.redis.call("EVAL", "return redis.sha1hex(redis.call('DUMP', KEYS[1]))", 1, key) for key in keys
        }

    def memory_mib(self) -> float:
        """What the workers take, together, resident."""
        pages = [int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in self.served.workers()]
        return sum(pages) * os.sysconf("SC_PAGE_SIZE") / 2**20

    def n_files(self) -> int:
        """Files and sockets that the workers have open, together."""
        return sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in self.served.workers())


def hostile_shop() -> Publication:
    """Every hostile id is a product, with the next one as similar and bought together, and a customer."""
    owners = {owner: [(i + 1) % len(HOSTILE_IDS)] for i, owner in enumerate(HOSTILE_IDS)}
    lists = {"similar": owners, "together": owners, "discover": owners}
    publication = build_publication(version_name(1), lists, n_products=len(HOSTILE_IDS))
    return replace(publication, products=[Product(product_id, title=version_name(1)) for product_id in HOSTILE_IDS])


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("abuse")
    with redis_server(folder / "redis") as redis:
        store_of(redis.url).publish(hostile_shop(), keep=3)
        RedisShopStorage(redis.url, timeout_ms=5_000).store("other").publish(version(2), keep=3)
        with serve(folder, REPRISE_REDIS_URL=redis.url, REPRISE_LOG_LEVEL="warning") as served:
            served.wait_until_ready()
            yield World(served, redis)


@pytest.fixture(autouse=True)
def _alive(world: World) -> Iterator[None]:
    """Whatever a test did, the same workers answer, and nothing broke in them."""
    workers = world.served.workers()
    yield
    assert world.served.workers() == workers
    assert world.served.ask("/health/ready").status == 200
    assert not world.served.log("unexpected_error")
    assert "panicked" not in (world.served.folder / "serve.log").read_text()


# --- slow clients -----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_slow_clients_hold_up_nobody_and_are_dropped(world: World):
    before = world.n_files()
    unread = [never_read(world.served.address) for _ in range(N_UNREAD)]
    stuck = {name: [say(world.served.address, start) for _ in range(N_SLOW)] for name, start in SLOW.items()}
    sent = post("/v1/recommendations", JSON, "Connection: close")
    for _ in range(10):
        assert world.served.ask(PUBLIC[2]).status == 200
        # beside so many slow bodies only one that comes at once is taken; a busy machine may be late with it
        wait_until(lambda: statuses(exchange(world.served.address, sent)) == [200], "a body is taken")
    assert not is_closed(stuck["say nothing"][0]), "they were answered only when the slow ones had gone"
    assert world.n_files() >= before + N_UNREAD - 10
    for name, connections in stuck.items():
        for connection in connections:
            read_rest(connection, WAIT_S)
            assert is_closed(connection), name
            connection.close()
    wait_until(lambda: world.n_files() <= before + 10, "those that do not read are dropped")
    for connection in unread:
        connection.close()


def say(address: Address, start: bytes) -> socket.socket:
    """A client that says so much and no more."""
    connection = connect(address)
    connection.sendall(start)
    return connection


def never_read(address: Address) -> socket.socket:
    """A client that asks for more than the system keeps for it, and takes nothing."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    connection.connect(address)
    connection.sendall(get("/docs/swagger.js") * 20)
    return connection


@pytest.mark.slow
def test_what_comes_bit_by_bit_does_not_last_longer(world: World):
    def pieces(head: bytes, sent: bytes) -> int:
        with connect(world.served.address) as connection:
            connection.sendall(head)
            return trickle_until_closed(connection, sent)

    with ThreadPoolExecutor(len(BIT_BY_BIT)) as pool:
        taken = dict(zip(BIT_BY_BIT, pool.map(pieces, *zip(*BIT_BY_BIT.values(), strict=True)), strict=True))
    assert min(taken.values()) > 1, taken


# --- made-up ids ------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_unknown_ids_fill_neither_the_workers_nor_redis(world: World):
    flood(world.served.address, "warm", 10_000)
    before, keys, used = world.memory_mib(), world.redis.call("DBSIZE"), redis_memory(world)
    asked = flood(world.served.address, "made-up", 60_000)
    assert asked == {404: 60_000}
    assert world.redis.call("DBSIZE") == keys
    assert redis_memory(world) - used < 1 << 20
    assert world.memory_mib() - before < 6


@pytest.mark.slow
def test_unknown_customers_fill_neither_the_workers_nor_redis(world: World):
    route = "/v1/customers/{}/recommendations?limit=1"
    flood(world.served.address, "warm", 3_000, route)
    before, keys, written = world.memory_mib(), world.redis.call("DBSIZE"), world.written()
    assert flood(world.served.address, "made-up", 12_000, route) == {200: 12_000}
    assert (world.redis.call("DBSIZE"), world.written()) == (keys, written)
    assert world.memory_mib() - before < 6


def redis_memory(world: World) -> int:
    return int(world.redis.call("INFO", "memory")["used_memory_dataset"])


# --- hostile ids ------------------------------------------------------------------------------------------------

READING = [
    "/v1/products/{}/similar",
    "/v1/products/{}/bought-together",
    "/v1/customers/{}/recommendations",
    "/v1/customers/{}/buy-again",
    "/v1/placements/{}",
    "/v1/popular?category={}",
    "/v1/popular?exclude={}",
    "/v1/popular?placement={}",
    "/docs/{}",
]


@pytest.mark.parametrize("hostile", HOSTILE_IDS, ids=ascii)
def test_lists_that_were_published_for_hostile_ids_are_found(world: World, hostile: str):
    expected = HOSTILE_IDS[(HOSTILE_IDS.index(hostile) + 1) % len(HOSTILE_IDS)]
    for route in READING[:3]:
        answer = world.served.ask(route.format(quote(hostile, safe="")))
        assert answer.status == 200, route
        assert answer.json["items"][0]["product_id"] == expected


def test_reading_with_hostile_ids_writes_nothing_anywhere(world: World):
    before = (world.snapshot("default"), world.snapshot("other"), world.redis.call("DBSIZE"), world.written())
    asked = [*HOSTILE_IDS, "x" * 10_000, "\ud800", "ÿ"]
    for hostile in asked:
        for route in READING:
            for path in {
                quote(hostile, safe="", errors="surrogatepass"),
                quote(hostile, safe="/:?&=*{}", errors="surrogatepass"),
            }:
                (status, *more) = statuses(exchange(world.served.address, get(route.format(path), "Connection: close")))
                assert (status < 500, more) == (True, []), (route, path[:50])
    after = (world.snapshot("default"), world.snapshot("other"), world.redis.call("DBSIZE"), world.written())
    assert after == before


def test_writing_with_hostile_ids_touches_no_other_shop_and_no_version(world: World):
    def versions() -> dict[str, str]:
        return {key: text for key, text in world.snapshot("default").items() if ":v:" in key or ":current" in key}

    before = (world.snapshot("other"), versions())
    for hostile in (*HOSTILE_IDS, "x" * 10_000):
        name = quote(hostile, safe="")
        asked = [
            ("PUT", f"/v1/placements/{name}", {"cap": 4, "default_limit": 2}),
            ("POST", f"/v1/models/{name}/activate", None),
            ("PUT", f"/v1/products/{name}/similar", {"title": "x"}),
            ("POST", f"/v1/recommendations/{name}", {}),
            ("POST", "/v1/recommendations", {"placement": "home", "customer_id": hostile, "cart": [hostile]}),
            ("POST", "/v1/batch", {"requests": [{"path": f"/v1/products/{name}/similar"}]}),
            ("POST", "/v1/events", {"events": [{"event_id": hostile, "event_type": "view", "session_id": hostile}]}),
        ]
        assert all(world.served.ask(path, method, body).status < 500 for method, path, body in asked), hostile
    assert (world.snapshot("other"), versions()) == before
    assert world.served.ask("/v1/models").json["current"] == version_name(1)


# --- bodies -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_bytes", [MAX_BODY_BYTES + 1, 50 << 20])
def test_a_body_over_the_limit_is_refused_before_it_is_sent(world: World, n_bytes: int):
    head = post("/v1/events", b"").replace(b"Length: 0", b"Length: %d" % n_bytes)
    assert statuses(exchange(world.served.address, head)) == [413]


def test_an_endless_body_in_chunks_is_refused_and_not_kept(world: World):
    before = world.memory_mib()
    sent = post("/v1/events", chunks(b" " * (32 << 20), 65_536), "Transfer-Encoding: chunked", length=False)
    for _ in range(3):
        assert statuses(exchange(world.served.address, sent)) in ([413], [])  # it may hang up before it is heard
    assert world.memory_mib() - before < 24
