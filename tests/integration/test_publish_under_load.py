"""Versions change under load: every answer is of one of them, and the newest is seen by all workers."""

import itertools
from collections import defaultdict
from collections.abc import Iterator

import pytest

from recommender.storage.versions import rollback
from tests.support.load import load
from tests.support.redis_servers import RedisServer, redis_server, wait_until
from tests.support.served import (
    PAGES,
    PUBLIC,
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

CHANGES = 50
SESSION = {"placement": "cart", "cart": ["p1", "p2"], "customer_id": "ann", "recently_viewed": ["p3"]}


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        store_of(server.url).publish(version(0), keep=3)
        yield server


@pytest.fixture(scope="module")
def served(redis: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("serve"), REPRISE_REDIS_URL=redis.url, REPRISE_LOG_LEVEL="warning") as served:
        yield served


@pytest.mark.parametrize("keep", [3, 1])
def test_no_answer_mixes_two_versions(keep: int, redis: RedisServer, served: Served) -> None:
    """`keep=1` deletes the version that the workers still believe in."""
    store, numbers = store_of(redis.url), itertools.count(100 * keep)
    with load(served.address, PAGES, threads=6, pause_s=0.001) as running:
        for change in range(CHANGES):
            if keep > 1 and change % 3 == 2:
                rollback(store)
            else:
                store.publish(version(next(numbers)), keep=keep)
            assert_of_one_version(served.ask("/v1/recommendations", "POST", SESSION))
            running.next(len(PAGES))
    seen = {answer.json["model_version"] for answer in running.answers}
    assert running.statuses().keys() == {200}
    assert fallback_reasons(running.answers) == {None}
    for answer in running.answers:
        assert_of_one_version(answer)
    etags = defaultdict(set)
    for answer in running.answers:
        if answer.path in PUBLIC:
            etags[answer.headers["etag"]].add((answer.path, answer.json["model_version"]))
    assert {len(owners) for owners in etags.values()} == {1}
    assert len(seen) > 3


def test_every_worker_follows_a_publish_and_a_rollback(redis: RedisServer, served: Served) -> None:
    store = store_of(redis.url)
    store.publish(version(900), keep=3)
    served.wait_until_ready(900)
    store.publish(version(901), keep=3)
    served.wait_until_ready(901)
    assert rollback(store) == version_name(900)
    served.wait_until_ready(900)


def test_every_worker_follows_a_placement(served: Served) -> None:
    assert served.ask("/v1/placements/home", "PUT", {"cap": 2, "default_limit": 1}).status == 200

    def caps() -> set[int]:
        answers = [served.ask("/v1/customers/ann/recommendations?limit=9") for _ in range(4 * WORKERS)]
        return {answer.json["limit"]["cap"] for answer in answers} | {len(answer.json["items"]) for answer in answers}

    wait_until(lambda: caps() == {2}, "every worker has the new cap")
