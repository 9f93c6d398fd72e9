"""Shops in memory and on real servers that several contracts share."""

from collections.abc import Iterator

import pytest

from recommender.redis.keys import Keys
from recommender.redis.shops import RedisWarehouse
from recommender.storage.shops import Warehouse
from recommender.storage.versions import Store
from tests.fakes.warehouse import MemoryWarehouse
from tests.support.governed import Governed


@pytest.fixture(params=["memory", "embedded", "other"])
def warehouse(request: pytest.FixtureRequest, shop: str) -> Iterator[Warehouse]:
    if request.param == "memory":
        yield MemoryWarehouse()
        return
    url = request.getfixturevalue("redis_url" if request.param == "embedded" else "other_redis_url")
    client = request.getfixturevalue("connect")(url)
    warehouse = RedisWarehouse(url, timeout_ms=5_000)
    yield warehouse
    warehouse.close()
    for one in (shop, f"{shop}-b"):
        client.call("DEL", "none", *client.call("KEYS", Keys(one).current.replace("current", "*")))


@pytest.fixture
def store(warehouse: Warehouse, shop: str) -> Store:
    return warehouse.store(shop)


@pytest.fixture
def governed(warehouse: Warehouse, shop: str) -> Governed:
    return Governed(warehouse.event_log(shop), warehouse.contacts(shop))
