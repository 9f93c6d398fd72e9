"""Placements that a shop sets while the service runs, in memory and on real servers."""

import pytest

from recommender.errors import InvalidRequestError
from recommender.redis import versions
from recommender.redis.keys import Keys
from recommender.redis.shops import RedisShopStorage
from recommender.slate.placements import MOST_PLACEMENTS, Placement
from recommender.storage.cache import ListCache

SMALL = Placement(cap=5, default_limit=3)
LARGE = Placement.model_validate(SMALL.model_dump() | {"blocks": [{"product_id": f"{n:0500}"} for n in range(900)]})
"""Half a megabyte."""


def test_a_shop_has_so_many_placements_and_no_more(store):
    for number in range(MOST_PLACEMENTS):
        store.place(f"p{number}", SMALL)
    with pytest.raises(InvalidRequestError, match=r"more than 200 placements.* with 'more': set one that is there"):
        store.place("more", SMALL)
    other = SMALL.model_copy(update={"cap": 7})
    store.place("p7", other)
    placed = store.follow().placements
    assert (len(placed), placed["p7"], placed["p8"]) == (MOST_PLACEMENTS, other, SMALL)


def test_a_shop_has_so_much_text_in_them_and_no_more(store):
    store.place("a", LARGE)
    store.place("b", LARGE)
    with pytest.raises(InvalidRequestError, match=r"1 MiB of rules in them, with 'c'.* shorten pins"):
        store.place("c", LARGE)
    store.place("a", LARGE)
    assert store.follow().placements["a"] == LARGE


def test_what_did_not_change_is_the_same_object(store):
    store.place("a", SMALL)
    store.place("b", SMALL)
    first = store.follow().placements
    assert store.follow().placements is first
    store.place("b", SMALL.model_copy(update={"cap": 7}))
    second = store.follow().placements
    assert second["b"].cap == 7
    assert second["a"] is first["a"]


class TestRedis:
    @pytest.fixture
    def redis_store(self, redis_shop):
        storage = RedisShopStorage(redis_shop.url, timeout_ms=5_000)
        yield storage.store(redis_shop.shop)
        storage.close()

    def test_only_what_changed_is_parsed(self, redis_store, monkeypatch):
        parsed = []
        monkeypatch.setattr(versions, "_to_placement", lambda text: parsed.append(text) or SMALL)
        for name in ("a", "b", "c"):
            redis_store.place(name, SMALL)
        for _ in range(3):
            redis_store.follow()
        assert len(parsed) == 3
        redis_store.place("b", LARGE)
        redis_store.follow()
        assert len(parsed) == 4

    def test_what_0_1_0_set_is_read(self, redis_store, redis_shop):
        redis_shop.client.call("HSET", Keys(redis_shop.shop).placements, "a", SMALL.model_dump_json())
        assert dict(redis_store.follow().placements) == {"a": SMALL}

    def test_a_server_that_was_emptied_has_none(self, redis_store, redis_shop):
        keys = Keys(redis_shop.shop)
        redis_store.place("a", SMALL)
        redis_store.follow()
        redis_shop.client.call("DEL", keys.placements, keys.placements_sequence)
        assert dict(redis_store.follow().placements) == {}


def test_pinned_products_are_looked_for_once(store, make_publication, monkeypatch):
    store.publish(make_publication("v1", {"discover": {"ann": [1]}}), keep=1)
    asked = []
    monkeypatch.setattr(store, "find_products", lambda version, ids: asked.append(list(ids)) or {})
    pins = [{"product_id": f"x{n}", "position": 1} for n in range(3)]
    store.place("a", Placement.model_validate({"cap": 5, "default_limit": 3, "pins": pins}))
    cache = ListCache(store)
    for _ in range(3):
        cache.follow()
    assert asked == [["x0", "x1", "x2"]]
