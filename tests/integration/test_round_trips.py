"""What an answer asks of a real Redis, counted there; and that no answer mixes versions while others are published."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from flask.testing import FlaskClient

from api import create_app
from recommender.publication.lists import WHOLE_SHOP
from recommender.redis.shops import RedisShopStorage
from recommender.settings import Settings
from tests.conftest import RedisShop
from tests.support.profiles import make_profile, make_table

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
PRODUCTS = range(10)
LISTS = {
    "similar": {f"p{i}": [j for j in PRODUCTS if j != i] for i in PRODUCTS},
    "together": {f"p{i}": [(i + 1) % 10] for i in PRODUCTS},
    "discover": {f"c{i}": [1, 2, 3] for i in range(5)},
    "popular": {WHOLE_SHOP: [0, 1, 2]},
    "trending": {WHOLE_SHOP: [7, 8]},
}
SESSION = {"placement": "cart", "cart": ["p1", "p2"], "recently_viewed": ["p3"], "customer_id": "c1"}
BATCH = {"requests": [{"path": f"/v1/customers/c{i}/recommendations"} for i in range(5)]}
COUNTED = ("evalsha", "eval")
"""The only commands that the service reads with."""


def version(number: int) -> str:
    return f"20261120T{number // 60:02}{number % 60:02}00Z-{number:04x}"


@pytest.fixture
def storage(redis_shop: RedisShop) -> Iterator[RedisShopStorage]:
    storage = RedisShopStorage(redis_shop.url, timeout_ms=5_000)
    yield storage
    storage.close()


@pytest.fixture
def client(redis_shop, storage, make_publication, monkeypatch) -> FlaskClient:
    """Of an app whose shop is at hand and that does not look what changed by itself: that would be counted."""
    publication = replace(make_publication(version(1), LISTS), profiles=make_table(make_profile("c1")))
    storage.store(redis_shop.shop).publish(publication, keep=3)
    app = create_app(Settings(shop=redis_shop.shop), storage, lambda: NOW)
    shops = app.extensions["reprise"].shops
    shops.follow()
    shops.cache(redis_shop.shop)
    shops.keep_following = lambda: None
    return app.test_client()


@pytest.fixture
def round_trips(redis_shop: RedisShop) -> Callable[[Callable[[], object]], int]:
    """A function that counts the calls that something makes. Those of a script are part of it."""

    def calls() -> int:
        stats = redis_shop.client.call("INFO", "commandstats")
        return sum(int(stats.get(f"cmdstat_{name}", {"calls": 0})["calls"]) for name in COUNTED)

    def count(act: Callable[[], object]) -> int:
        before = calls()
        act()
        return calls() - before

    return count


@pytest.mark.parametrize(
    ("path", "first", "again"),
    [
        ("/v1/products/p1/similar", 1, 0),
        ("/v1/products/p1/similar?limit=3", 1, 0),
        ("/v1/products/p1/bought-together", 1, 0),
        ("/v1/popular", 0, 0),
        ("/v1/customers/c1/recommendations", 1, 1),
        ("/v1/customers/c1/buy-again", 1, 1),
        ("/v1/customers/nobody/recommendations", 1, 1),
        ("/v1/products/nope/similar", 1, 1),
        ("/v1/popular?limit=0", 0, 0),
        ("/v1/customers/c1/recommendations?placement=nope", 0, 0),
    ],
)
def test_an_answer_is_one_round_trip_at_most(client, round_trips, path, first, again):
    client.get("/v1/popular")  # the script itself is sent once
    client.get("/v1/customers/c2/recommendations")
    counts = [round_trips(lambda: client.get(path)) for _ in range(2)]
    assert counts == [first, again]


@pytest.mark.parametrize(
    ("path", "body"),
    [("/v1/recommendations", SESSION), ("/v1/batch", BATCH), ("/v1/batch", {**BATCH, "distinct": True})],
)
def test_so_is_a_session_and_so_is_a_whole_batch(client, round_trips, path, body):
    client.post(path, json=body)
    assert round_trips(lambda: client.post(path, json=body)) == 1


def test_a_profile_is_two(client, round_trips):
    client.get("/v1/customers/c2/profile")
    assert round_trips(lambda: client.get("/v1/customers/c1/profile")) == 2


def test_a_list_at_hand_serves_every_request_for_it(client, round_trips):
    client.get("/v1/products/p1/similar")
    assert round_trips(lambda: client.get("/v1/products/p1/similar?limit=2&exclude=p3")) == 0


def test_no_answer_mixes_two_versions(client, redis_shop, storage, make_publication):
    """Four threads ask while another publishes and rolls back; each body is of one version, as its titles say."""
    store, shops = storage.store(redis_shop.shop), client.application.extensions["reprise"].shops
    store.publish(make_publication(version(2), LISTS), keep=2)
    stop, wrong, seen = threading.Event(), [], set()

    def ask() -> None:
        with client.application.test_client() as own:
            while not stop.is_set():
                for path in ("/v1/customers/c1/recommendations", "/v1/products/p1/similar", "/v1/popular"):
                    answer = own.get(path).json
                    titles = {item["product"]["title"].rpartition(" ")[0] for item in answer["items"]}
                    seen.add(answer["model_version"])
                    if titles != {answer["model_version"]}:
                        wrong.append((path, answer["model_version"], titles))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(3, 40):
        store.publish(make_publication(version(number), LISTS), keep=2)
        shops.follow()
        store.activate(version(number - 1))
        if number % 2:
            shops.follow()
    stop.set()
    for thread in threads:
        thread.join()
    assert not wrong
    assert len(seen) > 5
