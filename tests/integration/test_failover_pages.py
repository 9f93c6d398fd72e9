"""What shop pages see while a cluster or a watched primary fails over: an answer, always, and soon the right one."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from api import create_app
from recommender.redis_keys import Keys
from recommender.redis_warehouse import RedisWarehouse
from recommender.settings import Settings
from tests import small_shop
from tests.failover import BACK_WITHIN_S, LONGEST_READ_S, TIMEOUT_MS
from tests.redis_servers import RedisServer, redis_cluster, wait_until, watched_primary

pytestmark = pytest.mark.slow

PAGES = ("/v1/customers/ANNA/recommendations", "/v1/products/MILK/similar")
SHOP = "default"


@contextmanager
def _cluster(folder: Path) -> Iterator[tuple[str, RedisServer, RedisServer]]:
    with redis_cluster(folder) as cluster:
        shard = cluster.shard_of(Keys(SHOP).current)
        yield cluster.url, cluster.primaries[shard], cluster.replicas[shard]


@contextmanager
def _watched(folder: Path) -> Iterator[tuple[str, RedisServer, RedisServer]]:
    with watched_primary(folder) as watched:
        yield watched.url, watched.primary, watched.replica


@pytest.mark.parametrize("lose", [RedisServer.kill, RedisServer.pause])
@pytest.mark.parametrize("start", [_cluster, _watched])
def test_pages_are_answered_all_the_while(tmp_path, start, lose: Callable[[RedisServer], None]):
    with start(tmp_path) as (url, primary, replica), closing(RedisWarehouse(url, timeout_ms=TIMEOUT_MS)) as warehouse:
        warehouse.store(SHOP).publish(small_shop.publication(), keep=3)
        wait_until(lambda: replica.call("DBSIZE") == primary.call("DBSIZE"), "the replica has all")
        client = create_app(Settings(log_level="error"), warehouse, lambda: small_shop.NOW).test_client()
        before = [_ask(client, page)[0] for page in PAGES]
        assert all(answer["fallback"] is None for answer in before)

        lose(primary)
        slowest_s, stood_in = _ask_until_back(client, before)
        print(f"{stood_in} answers from the last copy, the slowest answer took {slowest_s:.3f} s")
        assert stood_in > 0
        assert slowest_s < LONGEST_READ_S


def _ask_until_back(client: FlaskClient, before: list[dict]) -> tuple[float, int]:
    """The slowest answer in seconds, and how many answers stood in until one did not. Each has the same products."""
    slowest_s, stood_in, lost_at, standing_in = 0.0, 0, time.monotonic(), True
    while standing_in or not stood_in:
        assert time.monotonic() < lost_at + BACK_WITHIN_S
        standing_in = False
        for page, usual in zip(PAGES, before, strict=True):
            answer, took_s = _ask(client, page)
            assert answer["items"] == usual["items"]
            slowest_s = max(slowest_s, took_s)
            if answer["fallback"] is not None:
                assert answer["fallback"]["reason"] == "store_unavailable"
                standing_in, stood_in = True, stood_in + 1
        time.sleep(0.02)
    return slowest_s, stood_in


def _ask(client: FlaskClient, page: str) -> tuple[dict, float]:
    started = time.monotonic()
    answer = client.get(page)
    assert answer.status_code == 200
    return answer.get_json(), time.monotonic() - started
