"""What is no answer to what was asked says so, item by item, and `fallback=none` leaves it out."""

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from api import create_app
from recommender.settings import Settings
from recommender.slate.placements import DEFAULT_PLACEMENTS, Pin
from tests.fakes.shops import MemoryShopStorage
from tests.fakes.versions import MemoryVersionStore
from tests.support import small_shop

SIMILAR, KETTLE = "/v1/products/MILK/similar", "/v1/products/KETTLE/similar"
ANNA, NOBODY = "/v1/customers/ANNA/recommendations", "/v1/customers/nobody/recommendations"
STRANGER = "/v1/products/k%C3%A4se%20%F0%9F%A7%80/similar"
KINDS = {
    "similar": {"similar"},
    "bought-together": {"complement"},
    "recommendations": {"buy_again", "discover", "complement", "similar"},
    "buy-again": {"buy_again"},
    "popular": {"popular"},
}
"""Last part of a path → what it asks for."""
PATHS = [
    *(f"/v1/products/{one}/{kind}" for one in ("MILK", "KETTLE", "a/b c") for kind in ("similar", "bought-together")),
    *(f"/v1/customers/{who}/{kind}" for who in ("ANNA", "x/y", "nobody") for kind in ("recommendations", "buy-again")),
    "/v1/popular",
]
PLACEMENTS = {name: one.model_copy(update={"pins": (Pin(product_id="a/b c", position=2),)})
              for name, one in DEFAULT_PLACEMENTS.items()}  # fmt: skip


def make_app(**settings) -> Flask:
    store = MemoryVersionStore()
    store.publish(small_shop.publication(), keep=3)
    return create_app(
        Settings(log_level="error", **settings), MemoryShopStorage({"default": store}), lambda: small_shop.NOW
    )


def ask(app: Flask, path: str, query: str = "") -> dict:
    answer = app.test_client().get(f"{path}?{query}")
    assert answer.status_code == 200, answer.text
    return answer.json


def lose_redis(app: Flask) -> None:
    """As the service sees it: only last copies are left."""
    app.extensions["reprise"].shops.cache("default").answering = False


def shown(answer: dict) -> list[str]:
    return [item["product_id"] for item in answer["items"]]


@pytest.fixture
def app() -> Flask:
    return make_app()


def test_a_cold_product_has_nothing_similar(app):
    answer = ask(app, KETTLE, "fallback=none")
    assert (shown(answer), answer["fallback"]) == ([], {"reason": "cold_product", "used": None})
    assert shown(ask(app, KETTLE, "fallback=auto")) == shown(ask(app, KETTLE)) == ["COFFEE"]


def test_of_an_unknown_customer_nothing_is_known(app):
    answer = ask(app, NOBODY, "fallback=none")
    assert (shown(answer), answer["fallback"]) == ([], {"reason": "unknown_customer", "used": None})


def test_a_short_list_stays_short(app):
    assert shown(ask(app, "/v1/customers/x%2Fy/recommendations")) == ["COFFEE", "MILK", "BREAD"]
    answer = ask(app, "/v1/customers/x%2Fy/recommendations", "fallback=none")
    assert (shown(answer), answer["fallback"]) == (["COFFEE"], None)


def test_best_sellers_stay_where_they_are_what_was_asked_for(app):
    assert ask(app, "/v1/popular", "fallback=none")["items"] == ask(app, "/v1/popular")["items"] != []


@pytest.mark.parametrize("body", [{"cart": ["BREAD"], "placement": "cart"}, {"placement": "home"}])
def test_a_session_may_ask_for_it_too(app, body):
    answer = app.test_client().post("/v1/recommendations", json={**body, "fallback": "none"}).json
    assert {item["kind"] for item in answer["items"]} <= {"complement"}
    assert shown(answer) == (["BUTTER", "MILK"] if body.get("cart") else [])


def test_a_product_that_no_training_has_seen_has_nothing_similar(app):
    product = {"title": "Oat milk", "category": "Dairy", "price": "2.10"}
    assert app.test_client().put("/v1/products/OATS", json=product).status_code == 200
    app.extensions["reprise"].shops.follow()
    answer = ask(app, "/v1/products/OATS/similar")
    assert {(item["kind"], item["reason"]["code"]) for item in answer["items"]} == {("popular", "BEST_SELLER")}
    assert shown(ask(app, "/v1/products/OATS/similar", "fallback=none")) == []
    newest = ask(app, "/v1/popular", "category=Dairy&fallback=none")["items"][-1]
    assert (newest["product_id"], newest["kind"], newest["reason"]["code"]) == ("OATS", "popular", "NEW")


def test_what_an_unknown_customer_looked_at_leads_to_what_was_asked_for(app):
    view = {"event_id": "1", "event_type": "view", "customer_id": "nobody", "product_id": "MILK"}
    event = {**view, "occurred_at": "2026-11-20T11:00:00Z"}
    assert app.test_client().post("/v1/events", json={"events": [event]}).json["accepted"] == 1
    answer = ask(app, NOBODY, "fallback=none")
    assert [(item["product_id"], item["kind"]) for item in answer["items"]] == [
        ("BUTTER", "similar"),
        ("käse 🧀", "similar"),
    ]
    filled = ask(app, NOBODY)["items"]
    assert [item["kind"] for item in filled] == ["similar", "similar", "popular", "popular", "popular"]


@pytest.mark.parametrize("value", ["", "no", "None", "trending"])
def test_any_other_word_is_a_400_that_lists_both(app, value):
    answer = app.test_client().get(f"{SIMILAR}?fallback={value}")
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (400, "fallback")
    assert "'auto' or 'none'" in answer.json["detail"]


class TestLastCopies:
    def test_what_was_asked_for_stays_and_is_named(self, app):
        before = ask(app, SIMILAR)
        lose_redis(app)
        for query in ("", "fallback=none"):
            answer = ask(app, SIMILAR, query)
            assert answer["items"] == before["items"] != []
            assert answer["fallback"] == {"reason": "store_unavailable", "used": "memory"}

    def test_best_sellers_of_a_cold_product_are_not_called_a_last_copy(self, app):
        before = ask(app, KETTLE)
        lose_redis(app)
        answer = ask(app, KETTLE)
        assert (answer["items"], answer["fallback"]) == (
            before["items"],
            {"reason": "store_unavailable", "used": "category"},
        )
        answer = ask(app, KETTLE, "fallback=none")
        assert (shown(answer), answer["fallback"]) == ([], {"reason": "store_unavailable", "used": None})

    def test_where_all_of_the_last_copy_is_left_out_it_did_not_stand_in(self, app):
        similar = shown(ask(app, SIMILAR))
        ask(app, "/v1/popular")
        lose_redis(app)
        body = {"placement": "home", "recently_viewed": ["MILK"], "exclude": [*similar, "OLD"]}
        answer = app.test_client().post("/v1/recommendations", json=body).json
        assert shown(answer) == ["COFFEE", "MILK", "BREAD"]
        assert answer["fallback"] == {"reason": "store_unavailable", "used": "trending"}

    def test_of_what_was_never_read_nothing_is_left(self, app):
        ask(app, "/v1/popular")
        lose_redis(app)
        assert {item["kind"] for item in ask(app, STRANGER)["items"]} == {"popular"}
        answer = ask(app, STRANGER, "fallback=none")
        assert (shown(answer), answer["fallback"]) == ([], {"reason": "store_unavailable", "used": None})


class TestCaches:
    @pytest.mark.parametrize("path", [KETTLE, ANNA, NOBODY])
    def test_both_are_told_apart_however_often_they_are_asked_for(self, app, path):
        kept = [[shown(ask(app, path, query)) for query in ("fallback=none", "limit=12")] for _ in range(3)]
        assert kept[0] == kept[1] == kept[2]
        assert path == ANNA or kept[0][0] != kept[0][1]

    def test_an_etag_of_the_one_is_none_of_the_other(self, app):
        client = app.test_client()
        etags = [client.get(f"{KETTLE}?{query}").headers["ETag"] for query in ("fallback=none", "")]
        assert etags[0] != etags[1]
        crossed = client.get(f"{KETTLE}?fallback=none", headers={"If-None-Match": etags[1]})
        assert (crossed.status_code, crossed.json["items"]) == (200, [])
        assert client.get(f"{KETTLE}?fallback=none", headers={"If-None-Match": etags[0]}).status_code == 304


APPS = {pinned: make_app(placements=PLACEMENTS) if pinned else make_app() for pinned in (False, True)}
requests = st.tuples(
    st.sampled_from(PATHS),
    st.lists(st.sampled_from([f"exclude={one}" for one in small_shop.ALL[:5]]), max_size=3, unique=True),
    st.sampled_from(["limit=1", "limit=5", "limit=12"]),
    st.sampled_from(["", "category=Dairy"]),
)


class TestEveryList:
    @given(requests, st.booleans(), st.booleans())
    def test_only_what_was_asked_for_and_pins(self, request_, pinned, stale):
        app, (path, exclude, limit, category) = APPS[pinned], request_
        query = "&".join(filter(None, [*exclude, limit, category]))
        ask(app, path, query)  # a last copy
        cache = app.extensions["reprise"].shops.cache("default")
        cache.answering = not stale
        try:
            honest, filled = ask(app, path, f"{query}&fallback=none"), ask(app, path, query)
        finally:
            cache.answering = True
        asked_for = KINDS[path.rpartition("/")[2]]
        for item in honest["items"]:
            assert item["kind"] in asked_for or item["reason"]["code"] == "PINNED"
        used = (honest["fallback"] or {}).get("used")
        assert used in (None, "memory")
        stood_in = [item for item in filled["items"] if item["kind"] not in asked_for]
        assert {item["kind"] for item in stood_in} <= {"popular"}
        assert {item["reason"]["code"] for item in stood_in} <= {"TRENDING", "BEST_SELLER", "PINNED"}
        assert filled["fallback"] is not None or all(item["reason"]["code"] == "PINNED" for item in stood_in)
