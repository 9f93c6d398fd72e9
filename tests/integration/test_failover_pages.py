"""What shop pages see while a cluster or a watched primary fails over: an answer, always, and soon the right one."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from api import create_app
from recommender.redis.keys import Keys
from recommender.redis.shops import RedisShopStorage
from recommender.settings import Settings
from tests.support import small_shop
from tests.support.failover import TIMEOUT_MS
from tests.support.redis_servers import RedisServer, redis_cluster, wait_until, watched_primary

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
    with start(tmp_path) as (url, primary, replica), closing(RedisShopStorage(url, timeout_ms=TIMEOUT_MS)) as storage:
        storage.store(SHOP).publish(small_shop.publication(), keep=3)
        wait_until(lambda: replica.call("DBSIZE") == primary.call("DBSIZE"), "the replica has all")
        client = create_app(Settings(log_level="error"), storage, lambda: small_shop.NOW).test_client()
        before = [_ask(client, page) for page in PAGES]
        assert all(answer["fallback"] is None for answer in before)

        lose(primary)
        wait_until(lambda: _stand_in(client, before) == {"store_unavailable"}, "last copies stand in")
        wait_until(lambda: _stand_in(client, before) == {None}, "answers as before")


def _stand_in(client: FlaskClient, before: list[dict]) -> set[str | None]:
    """Why the answers stand in, if they do. Each has the same products as ever."""
    reasons = set()
    for page, usual in zip(PAGES, before, strict=True):
        answer = _ask(client, page)
        assert answer["items"] == usual["items"]
        reasons.add(answer["fallback"] and answer["fallback"]["reason"])
    assert reasons <= {None, "store_unavailable"}
    return reasons


def _ask(client: FlaskClient, page: str) -> dict:
    answer = client.get(page)
    assert answer.status_code == 200
    return answer.get_json()
