"""A real Redis that hangs, dies, comes back, loses its data or is full, under load: a page always gets an answer."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from recommender.api_keys import make_api_key
from recommender.errors import StoreError, StoreFullError
from recommender.redis_warehouse import RedisWarehouse
from tests.load import Load, load, median_s, worst_s
from tests.redis_servers import RedisServer, free_port, redis_server, wait_until
from tests.served import PAGES, Served, assert_of_one_version, fallback_reasons, serve, store_of, version, version_name

pytestmark = pytest.mark.slow

WORST_S = 1.0
"""The time-out is 0.1 s; the rest is for a machine that does other things too."""
MEDIAN_S = 0.1
NOTICED_S = 1.0
"""After this long every worker has noticed: a look every 0.25 s, and a time-out."""


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis"), appendfsync="always") as server:
        yield server


@pytest.fixture(scope="module")
def started(redis: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    store_of(redis.url).publish(version(1), keep=3)
    with serve(tmp_path_factory.mktemp("serve"), REPRISE_REDIS_URL=redis.url, REPRISE_LOG_LEVEL="warning") as served:
        yield served


@pytest.fixture
def served(redis: RedisServer, started: Served) -> Served:
    """The service as it should be: version 1 answers."""
    store_of(redis.url).publish(version(1), keep=3)
    started.wait_until_ready()
    return started


def lose(served: Served, break_it: Callable[[], object], mend_it: Callable[[], object]) -> Load:
    """Ask for every page while Redis is lost for two seconds; check all that must hold whatever the loss."""
    with load(served.address, PAGES) as running:
        wait_until(lambda: len(running.answers) > 20 * len(PAGES), "every worker has read every list")
        break_it()
        time.sleep(NOTICED_S)
        noticed_at = time.monotonic()
        readiness, liveness = served.readiness(), served.ask("/health/live").status
        time.sleep(1.0)
        mended_at = time.monotonic()
        mend_it()
        recovery_s = served.wait_until_ready()
        answered_at = time.monotonic()
        wait_until(lambda: len(running.since(answered_at)) > 20 * len(PAGES), "answers as before")
    during = [answer for answer in running.since(noticed_at) if answer.started < mended_at]
    print(
        f"{len(running.answers)} answers, worst {worst_s(running.answers) * 1000:.0f} ms, "
        f"median {median_s(during) * 1000:.1f} ms while lost, recovery {recovery_s:.2f} s, {readiness}"
    )
    assert running.statuses().keys() == {200}
    assert worst_s(running.answers) < WORST_S
    assert median_s(during) < MEDIAN_S
    assert fallback_reasons(during) == {"store_unavailable"}
    assert fallback_reasons(running.since(answered_at)) == {None}
    for answer in running.answers:
        assert_of_one_version(answer)
    assert liveness == 200
    assert {status for status, _ in readiness} == {503}
    return running


def test_one_that_hangs(redis: RedisServer, served: Served) -> None:
    lose(served, redis.pause, redis.resume)


def test_one_that_dies_and_comes_back_with_its_data(redis: RedisServer, served: Served) -> None:
    lose(served, redis.kill, redis.start)
    outages = served.log("store_unavailable")
    time.sleep(NOTICED_S)
    assert served.log("store_unavailable") == outages, "told once each, not with every look"
    assert 0 < len(outages) <= 8


def test_one_that_hangs_again_and_again(redis: RedisServer, served: Served) -> None:
    with load(served.address, PAGES) as running:
        for _ in range(8):
            redis.pause()
            time.sleep(0.15)
            redis.resume()
            time.sleep(0.15)
    print(f"worst {worst_s(running.answers) * 1000:.0f} ms, median {median_s(running.answers) * 1000:.1f} ms")
    assert running.statuses().keys() == {200}
    assert fallback_reasons(running.answers) <= {None, "store_unavailable"}
    assert worst_s(running.answers) < WORST_S
    assert served.wait_until_ready() < 2


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
            time.sleep(NOTICED_S)
        finally:
            redis.call("CONFIG", "SET", "maxmemory", "0")
    print(f"{len(running.answers)} answers, worst {worst_s(running.answers) * 1000:.0f} ms, all from Redis")
    assert answer.status == 503
    assert running.statuses().keys() == {200}
    assert fallback_reasons(running.answers) == {None}
    assert {answer.json["model_version"] for answer in running.answers} == {version_name(1)}
    store_of(redis.url).publish(version(2), keep=3)
    assert served.wait_until_ready(2) < 2


def test_one_that_was_emptied_takes_nobodys_key_away(redis: RedisServer, tmp_path: Path) -> None:
    secret, key = make_api_key(
        shop="default", kind="secret", scopes=["read"], origins=[], created_at=datetime(2026, 11, 20, tzinfo=UTC)
    )
    headers = {"Authorization": f"Bearer {secret}"}
    warehouse = RedisWarehouse(redis.url, timeout_ms=5_000)
    warehouse.add_api_key(key)
    warehouse.store("default").publish(version(1), keep=3)
    with serve(tmp_path, REPRISE_REDIS_URL=redis.url) as served:
        served.wait_until_ready()
        redis.flush()
        warehouse.store("default").publish(version(1), keep=3)
        with load(served.address, PAGES, headers=headers) as running:
            time.sleep(NOTICED_S)
        assert {served.ask("/v1/popular").status for _ in range(8)} == {401}, "nobody else is let in"
    warehouse.close()
    assert running.statuses().keys() == {200}


def test_a_publish_into_one_that_dies_leaves_the_old_version(redis: RedisServer, served: Served) -> None:
    def die(_: int) -> None:
        redis.kill()

    with pytest.raises(StoreError):
        store_of(redis.url).publish(version(3), keep=3, advance=die)
    redis.start()
    assert served.wait_until_ready() < 5


def test_workers_that_start_without_one_answer_with_nothing_to_show(tmp_path: Path) -> None:
    port = free_port()
    with serve(tmp_path, REPRISE_REDIS_URL=f"redis://127.0.0.1:{port}") as served:
        with load(served.address, PAGES) as running:
            time.sleep(NOTICED_S)
        assert running.statuses().keys() == {200}
        assert fallback_reasons(running.answers) == {"store_unavailable"}
        assert {len(answer.json["items"]) for answer in running.answers} == {0}
        assert worst_s(running.answers) < WORST_S
        assert served.readiness() == {(503, "store_unavailable")}
        assert served.ask("/v1/models").status == 503
        with redis_server(tmp_path / "redis", port=port) as redis:
            wait_until(lambda: served.readiness() == {(503, "model_not_ready")}, "Redis was found")
            store_of(redis.url).publish(version(1), keep=3)
            recovery_s = served.wait_until_ready()
            assert_of_one_version(served.ask("/v1/popular"))
    print(
        f"{len(running.answers)} answers, worst {worst_s(running.answers) * 1000:.0f} ms, recovery {recovery_s:.2f} s"
    )
