"""A real Redis that hangs, dies, comes back, loses its data or is full, under load: a page always gets an answer."""

import os
import signal
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from recommender.errors import StoreError, StoreFullError
from recommender.redis.shops import RedisShopStorage
from recommender.storage.api_keys import make_api_key
from tests.support.load import MANY, Load, load
from tests.support.redis_servers import RedisServer, free_port, redis_server, wait_until
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

LOOKS = 10
"""Of both workers together, two questions each."""


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis"), appendfsync="always") as server:
        yield server


@pytest.fixture(scope="module")
def started(redis: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    store_of(redis.url).publish(version(1), keep=3)
    environment = {"REPRISE_REDIS_TIMEOUT_MS": HURRIED_MS, "REPRISE_LOG_LEVEL": "warning"}
    with serve(tmp_path_factory.mktemp("serve"), REPRISE_REDIS_URL=redis.url, **environment) as served:
        yield served


@pytest.fixture
def served(redis: RedisServer, started: Served) -> Served:
    """The service as it should be: version 1 answers."""
    store_of(redis.url).publish(version(1), keep=3)
    started.wait_until_ready()
    return started


def lose(served: Served, break_it: Callable[[], object], mend_it: Callable[[], object]) -> Load:
    """Ask for every page while Redis is lost; check all that must hold whatever the loss.

    It stays lost until many pages were answered, so no answer waits for it.
    """
    with load(served.address, PAGES) as running:
        running.next(MANY)  # every worker has read every list
        break_it()
        served.wait_until_lost()
        during, liveness = running.next(MANY), served.ask("/health/live").status
        mend_it()
        served.wait_until_ready()
        wait_until(lambda: fallback_reasons(running.next(MANY)) == {None}, "answers as before")
    assert running.statuses().keys() == {200}
    assert fallback_reasons(during) == {"store_unavailable"}
    for answer in running.answers:
        assert_of_one_version(answer)
    assert liveness == 200
    return running


def looks(redis: RedisServer) -> int:
    """How often workers asked what has changed."""
    return int(redis.call("INFO", "commandstats")["cmdstat_hgetall"]["calls"])


def test_one_that_hangs(redis: RedisServer, served: Served) -> None:
    lose(served, redis.pause, redis.resume)


def test_one_that_dies_and_comes_back_with_its_data(redis: RedisServer, served: Served) -> None:
    lose(served, redis.kill, redis.start)
    outages, asked = served.log("store_unavailable"), looks(redis)
    wait_until(lambda: looks(redis) > asked + LOOKS, "the workers look on")
    assert served.log("store_unavailable") == outages, "told once each, not with every look"
    assert 0 < len(outages) <= 8


def test_one_that_hangs_again_and_again(redis: RedisServer, served: Served) -> None:
    with load(served.address, PAGES) as running:
        for _ in range(8):
            redis.pause()
            running.next(len(PAGES))
            redis.resume()
            running.next(len(PAGES))
    assert running.statuses().keys() == {200}
    assert fallback_reasons(running.answers) <= {None, "store_unavailable"}
    served.wait_until_ready()


def test_one_that_was_emptied_shows_the_last_copies_until_the_next_publish(redis: RedisServer, served: Served) -> None:
    running = lose(served, redis.flush, lambda: store_of(redis.url).publish(version(1), keep=3))
    assert {answer.json["model_version"] for answer in running.answers} == {version_name(1)}
    redis.flush()
    wait_until(lambda: served.readiness() == {(503, "model_not_ready")}, "readiness says what is missing")


def test_one_without_memory_serves_on_and_takes_no_version(redis: RedisServer, served: Served) -> None:
    with load(served.address, PAGES) as running:
        redis.call("CONFIG", "SET", "maxmemory", "1mb")
        try:
            with pytest.raises(StoreFullError):
                store_of(redis.url).publish(version(2), keep=3)
            answer = served.ask("/v1/placements/home", "PUT", {"cap": 3, "default_limit": 2})
            wait_until(lambda: fallback_reasons(running.next(MANY)) == {None}, "all are answered from Redis")
        finally:
            redis.call("CONFIG", "SET", "maxmemory", "0")
    assert answer.status == 503
    assert running.statuses().keys() == {200}
    assert {answer.json["model_version"] for answer in running.answers} == {version_name(1)}
    store_of(redis.url).publish(version(2), keep=3)
    served.wait_until_ready(2)


def test_one_that_was_emptied_takes_nobodys_key_away(redis: RedisServer, tmp_path: Path) -> None:
    secret, key = make_api_key(
        shop="default", kind="secret", scopes=["read"], origins=[], created_at=datetime(2026, 11, 20, tzinfo=UTC)
    )
    headers = {"Authorization": f"Bearer {secret}"}
    storage = RedisShopStorage(redis.url, timeout_ms=5_000)
    storage.add_api_key(key)
    storage.store("default").publish(version(1), keep=3)
    with serve(tmp_path, REPRISE_REDIS_URL=redis.url) as served:
        served.wait_until_ready()
        redis.flush()
        storage.store("default").publish(version(2), keep=3)
        with load(served.address, PAGES, headers=headers) as running:
            served.wait_until_ready(2)  # keys are looked at before versions
            running.next(MANY)
        assert {served.ask("/v1/popular").status for _ in range(8)} == {401}, "nobody else is let in"
        old = set(served.workers())
        for worker in old:
            os.kill(worker, signal.SIGKILL)
        wait_until(lambda: len(set(served.workers()) - old) == len(old), "there are new workers")
        wait_until(lambda: served.readiness() == {(503, "store_unavailable")}, "they answer, without keys")
        assert {served.ask("/v1/models").status for _ in range(8)} == {503}, "nor by workers that never saw a key"
    storage.close()
    assert running.statuses().keys() == {200}


def test_one_that_dies_before_the_first_request_leaves_best_sellers(redis: RedisServer, tmp_path: Path) -> None:
    store_of(redis.url).publish(version(1), keep=3)
    with serve(tmp_path, REPRISE_REDIS_URL=redis.url, REPRISE_REDIS_TIMEOUT_MS=HURRIED_MS) as served:
        served.wait_until_ready()
        redis.kill()
        answers = [served.ask("/v1/customers/carl/recommendations?limit=3") for _ in range(8 * WORKERS)]
        redis.start()
    assert {len(answer.json["items"]) for answer in answers} == {3}
    assert fallback_reasons(answers) == {"store_unavailable"}


def test_a_publish_into_one_that_dies_leaves_the_old_version(redis: RedisServer, served: Served) -> None:
    def die(_: int) -> None:
        redis.kill()

    with pytest.raises(StoreError):
        store_of(redis.url).publish(version(3), keep=3, advance=die)
    redis.start()
    served.wait_until_ready()


def test_workers_that_start_without_one_answer_with_nothing_to_show(tmp_path: Path) -> None:
    port = free_port()
    with serve(tmp_path, REPRISE_REDIS_URL=f"redis://127.0.0.1:{port}") as served:
        with load(served.address, PAGES) as running:
            running.next(MANY)
        assert running.statuses().keys() == {200}
        assert fallback_reasons(running.answers) == {"store_unavailable"}
        assert {len(answer.json["items"]) for answer in running.answers} == {0}
        assert served.readiness() == {(503, "store_unavailable")}
        assert served.ask("/v1/models").status == 503
        with redis_server(tmp_path / "redis", port=port) as redis:
            wait_until(lambda: served.readiness() == {(503, "model_not_ready")}, "Redis was found")
            store_of(redis.url).publish(version(1), keep=3)
            served.wait_until_ready()
            assert_of_one_version(served.ask("/v1/popular"))
