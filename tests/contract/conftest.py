"""Shops in memory and on real servers that several contracts share."""

from collections.abc import Iterator

import pytest

from recommender.redis.keys import Keys
from recommender.redis.shops import RedisShopStorage
from recommender.storage.shops import ShopStorage
from recommender.storage.versions import VersionStore
from tests.fakes.shops import MemoryShopStorage
from tests.support.governed import Governed


@pytest.fixture(params=["memory", "embedded", "other"])
def storage(request: pytest.FixtureRequest, shop: str) -> Iterator[ShopStorage]:
    if request.param == "memory":
        yield MemoryShopStorage()
        return
    url = request.getfixturevalue("redis_url" if request.param == "embedded" else "other_redis_url")
    client = request.getfixturevalue("connect")(url)
    storage = RedisShopStorage(url, timeout_ms=5_000)
    yield storage
    storage.close()
    for one in (shop, f"{shop}-b"):
        client.call("DEL", "none", *client.call("KEYS", Keys(one).current.replace("current", "*")))


@pytest.fixture
def store(storage: ShopStorage, shop: str) -> VersionStore:
    return storage.store(shop)


@pytest.fixture
def governed(storage: ShopStorage, shop: str) -> Governed:
    return Governed(storage.event_log(shop), storage.contacts(shop))
