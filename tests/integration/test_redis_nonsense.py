"""A server that answers nonsense, and data that nobody wrote like that: pages answer, and nothing is hammered."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from recommender.redis.keys import API_KEYS, Keys
from tests.support.load import MANY, load
from tests.support.middleman import Middleman, middleman
from tests.support.redis_servers import RedisServer, redis_server, wait_until
from tests.support.served import (
    HURRIED_MS,
    PAGES,
    WORKERS,
    Served,
    assert_of_one_version,
    fallback_reasons,
    serve,
    store_of,
    version,
    version_name,
)

pytestmark = pytest.mark.slow

LOOKS_PER_S = 1 / 0.25
"""Of each worker: the pause between two looks is 0.25 s."""
QUESTIONS_PER_LOOK = 2
"""The keys and, where they could be read, the shop."""
LOOKS = 4
"""How many are waited for, of each worker, while the server answers nonsense."""
SLACK = 2
"""A count may have a look too many at each end."""
KEYS = Keys("default")

NONSENSE = {
    "noise": b"\x00\xff\x13\x37\r\n" * 20,
    "another protocol": b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
    "half an answer": b"*3\r\n$5\r\nhal",
    "an error": b"-ERR nonsense\r\n",
    "a word": b"+OK\r\n",
    "an empty map": b"%0\r\n",
    "silence": b"",
    "hanging up": None,
}


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        store_of(server.url).publish(version(1), keep=3)
        yield server


@pytest.fixture(scope="module")
def between(redis: RedisServer) -> Iterator[Middleman]:
    with middleman(redis.port) as state:
        yield state


@pytest.fixture(scope="module")
def served(between: Middleman, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    environment = {"REPRISE_REDIS_TIMEOUT_MS": HURRIED_MS, "REPRISE_LOG_LEVEL": "warning"}
    with serve(tmp_path_factory.mktemp("serve"), REPRISE_REDIS_URL=between.url, **environment) as served:
        served.wait_until_ready()
        yield served


def failures(served: Served) -> list[dict[str, Any]]:
    """What the log tells of them so far."""
    return served.log("store_unavailable") + served.log("unexpected_error")


def publish_aside(redis: RedisServer, number: int, served: Served) -> str:
    """Have a version beside the one that answers, of which no worker knows anything any more; its name."""
    store = store_of(redis.url)
    store.publish(version(number), keep=3)
    store.activate(version_name(1))
    served.wait_until_ready()  # whoever looked in between has forgotten the other one
    return version_name(number)


@pytest.mark.parametrize("answer", NONSENSE.values(), ids=NONSENSE.keys())
def test_a_server_that_answers_nonsense(answer: bytes | None, between: Middleman, served: Served) -> None:
    logged = Counter(line["subject"] for line in failures(served))
    with load(served.address, PAGES) as running:
        running.next(MANY)  # every worker has read every list
        between.nonsense, between.hangs_up = answer, answer is None
        served.wait_until_lost()
        began_at, questions, connections = time.monotonic(), between.questions, between.connections
        readiness, during = served.readiness(), running.next(MANY)
        wait_until(lambda: between.questions >= questions + LOOKS * WORKERS, "the workers look on")
        looks = (time.monotonic() - began_at) * LOOKS_PER_S + SLACK
        questions, connections = between.questions - questions, between.connections - connections
        between.be_honest()
        served.wait_until_ready()
        wait_until(lambda: fallback_reasons(running.next(MANY)) == {None}, "answers as before")
    assert running.statuses().keys() == {200}
    assert fallback_reasons(during) == {"store_unavailable"}
    for page in running.answers:
        assert_of_one_version(page)
    assert readiness == {(503, "store_unavailable")}
    assert questions <= WORKERS * QUESTIONS_PER_LOOK * looks
    assert connections <= WORKERS * looks
    told = Counter(line["subject"] for line in failures(served)) - logged
    assert max(told.values()) <= WORKERS, "told once, not with every look"


@pytest.fixture
def corrupt(redis: RedisServer, served: Served) -> Iterator[RedisServer]:
    """The server itself, to write nonsense into; afterwards it holds version 1 again and nothing else."""
    served.wait_until_ready()
    yield redis
    redis.call("DEL", API_KEYS)
    redis.flush()
    store_of(redis.url).publish(version(1), keep=3)
    served.wait_until_ready()


def test_lists_that_cannot_be_read(corrupt: RedisServer, served: Served) -> None:
    name = publish_aside(corrupt, 2, served)
    for part, owner in (("similar", "p1"), ("discover", "ann"), ("together", "p2"), ("popular", "")):
        corrupt.call("HSET", KEYS.version(name, part), owner, b"\x07nonsense")
    store_of(corrupt.url).activate(name)
    served.wait_until_ready(2)
    with load(served.address, PAGES) as running:
        running.next(MANY)
    assert running.statuses().keys() == {200}
    bad = [answer for answer in running.answers if answer.path != "/v1/products/p3/similar"]
    assert fallback_reasons(bad) == {"store_unavailable"}
    wait_until(lambda: served.ask("/v1/products/p3/similar").json["fallback"] is None, "other lists are read as ever")


def test_products_that_cannot_be_read(corrupt: RedisServer, served: Served) -> None:
    name = publish_aside(corrupt, 3, served)
    corrupt.call("HSET", KEYS.version(name, "discover"), "bob", b"\x00" + b"\xff" * 12)  # there are no such ones
    corrupt.call("HSET", KEYS.version(name, "products"), "3", "{nonsense")
    corrupt.call("HSET", KEYS.version(name, "products"), "7", "[]")
    store_of(corrupt.url).activate(name)
    served.wait_until_ready(3)
    with load(served.address, PAGES) as running:
        running.next(MANY)
    assert running.statuses().keys() == {200}


@pytest.mark.parametrize("current", ["nonsense", "\x00", version_name(9)])
def test_a_pointer_to_nothing(current: str, corrupt: RedisServer, served: Served) -> None:
    with load(served.address, PAGES) as running:
        running.next(MANY)  # every worker has read every list
        corrupt.call("SET", KEYS.current, current)
        served.wait_until_lost()
        running.next(MANY)
    assert running.statuses().keys() == {200}
    assert {answer.json["model_version"] for answer in running.answers} == {version_name(1)}


def test_keys_of_the_wrong_kind(corrupt: RedisServer, served: Served) -> None:
    with load(served.address, PAGES) as running:
        running.next(MANY)  # every worker has read every list
        for key in (KEYS.current, KEYS.versions, KEYS.placements, API_KEYS):
            corrupt.call("DEL", key)
            corrupt.call("RPUSH", key, "nonsense")
        served.wait_until_lost()
        running.next(MANY)
    assert running.statuses().keys() == {200}


def test_a_placement_that_cannot_be_read_gives_way_to_that_of_the_settings(
    corrupt: RedisServer, served: Served
) -> None:
    corrupt.call("HSET", KEYS.placements, "home", "{nonsense", "email", '{"cap": 1, "default_limit": 1}')
    corrupt.call("HSET", KEYS.placements, "cart", '{"cap": 100, "later": 1}')
    corrupt.call("INCR", KEYS.placements_sequence)

    def caps() -> dict[str, int]:
        return {placement["name"]: placement["cap"] for placement in served.ask("/v1/placements").json["placements"]}

    expected = {"product-page": 12, "home": 20, "cart": 8, "email": 1}
    wait_until(lambda: all(caps() == expected for _ in range(4 * WORKERS)), "every worker has what can be read")


def test_a_key_that_cannot_be_read_opens_nothing_and_locks_nobody_out(corrupt: RedisServer, served: Served) -> None:
    fields = {"shop": "default", "kind": "secret", "scopes": ["read"], "origins": [], "digest": "0" * 64}
    whole = json.dumps({"key_id": "whole", "created_at": "2026-11-20T00:00:00Z", **fields})
    corrupt.call("HSET", API_KEYS, "bad", "{nonsense", "worse", "[]", "half", '{"key_id": "half"}', "whole", whole)
    wait_until(lambda: {served.ask("/v1/popular").status for _ in range(4 * WORKERS)} == {401}, "all let nobody in")
    assert {served.ask("/health/ready").status for _ in range(4 * WORKERS)} == {200}
