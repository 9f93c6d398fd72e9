"""GET /v1/customers/{id}/profile: see small_shop.py and profiles.py of tests/support for ANNA and x/y."""

from dataclasses import replace
from datetime import timedelta

import pytest

from api import create_app
from recommender.publication.product import Product
from recommender.settings import Settings
from tests.fakes.shops import MemoryShopStorage
from tests.support import small_shop
from tests.support.hostile_ids import HOSTILE_IDS
from tests.support.profiles import make_newcomer, make_profile, make_table
from tests.support.small_shop import NOW, TODAY, WEEK, model

PROFILE = "/v1/customers/ANNA/profile"


def day(ago: int) -> str:
    return (NOW.date() - timedelta(days=ago)).isoformat()


def publication(*profiles):
    """The small shop with these customers."""
    return replace(small_shop.publication(), profiles=make_table(*profiles))


@pytest.fixture
def answer_of(store):
    """A function that gives the profile of a customer in a shop of these."""

    def ask(*profiles, customer_id="ANNA", at=NOW):
        made = publication(*profiles)
        store.publish(replace(made, manifest=replace(made.manifest, version="20261120T020001Z-3f2a")), keep=1)
        client = create_app(Settings(), MemoryShopStorage({"default": store}), lambda: at).test_client()
        return client.get(f"/v1/customers/{customer_id}/profile").json

    return ask


def buy(client, product_id="MILK", hours_ago=0.02, **fields):
    """An event of ANNA's, or of whom `fields` name."""
    at = (NOW - timedelta(hours=hours_ago)).isoformat()
    event = {"event_type": "purchase", "customer_id": "ANNA", "product_id": product_id, "occurred_at": at}
    told = {"event_id": f"{product_id} {hours_ago} {fields}", **event, **fields}
    assert client.post("/v1/events", json={"events": [told]}).json["accepted"] == 1


def test_everything_that_is_known(client):
    answer = client.get(PROFILE)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "private, no-store"
    document = answer.json
    assert [one["product_id"] for one in document.pop("due")] == ["MILK"]
    assert document == {
        "customer_id": "ANNA",
        "model_version": small_shop.VERSION,
        "as_of": "2026-11-20T02:00:00Z",
        "lifecycle": "loyal",
        "rfm": {"recency": 5, "frequency": 4, "monetary": 3, "score": "543", "segment": "champion"},
        "first_order_on": day(139),
        "last_order_on": day(1),
        "recency_days": 1,
        "average_days_between_orders": 30.0,
        "usual_gap_days": 7.0,
        "expected_date_of_next_order": day(-6),
        "historic_number_of_orders": 21,
        "historic_clv": 110.0,
        "average_order_value": 10.0,
        "probability_alive": 0.5,
        "churn_probability": 0.25,
        "expected_orders": {"30d": 0.5, "90d": 1.5, "365d": 6.0},
        "predicted_number_of_orders": 6.0,
        "predicted_clv": 55.5,
        "total_clv": 165.5,
    }


def test_what_is_due_is_what_buy_again_says(client):
    buy_again = client.get("/v1/customers/ANNA/buy-again").json["items"]
    due = client.get(PROFILE).json["due"]
    assert due == [{name: item[name] for name in ("product_id", "due", "product")} for item in buy_again]
    assert due[0]["due"]["at"] == "2026-11-21"


def test_at_most_ten_products_are_due(store, answer_of, monkeypatch):
    products = [*small_shop.PRODUCTS, *(Product(f"p{i}") for i in range(20))]
    own = [(8 + i, 0.5, TODAY - 7, 3, WEEK, 0.2, 0.9) for i in range(20)]
    monkeypatch.setitem(small_shop.ROWS, "buy_again", {"ANNA": model(*own)})
    made = small_shop.publication("20261120T020002Z-3f2a", products)
    store.publish(replace(made, profiles=make_table(make_profile("ANNA"))), keep=1)
    client = create_app(Settings(), MemoryShopStorage({"default": store}), lambda: NOW).test_client()
    assert len(client.get(PROFILE).json["due"]) == 10


def test_what_is_not_known_is_null(answer_of):
    document = answer_of(make_newcomer("ANNA", first_day=TODAY, last_day=TODAY, rfm_monetary=0))
    unknown = {name for name, value in document.items() if value is None}
    assert unknown == {
        "average_days_between_orders",
        "usual_gap_days",
        "expected_date_of_next_order",
        "historic_clv",
        "average_order_value",
        "probability_alive",
        "churn_probability",
        "predicted_number_of_orders",
        "predicted_clv",
        "total_clv",
    }
    assert document["lifecycle"] == "new"
    assert document["expected_orders"] == {"30d": None, "90d": None, "365d": None}
    assert document["rfm"] == {"recency": 5, "frequency": 4, "monetary": None, "score": None, "segment": "champion"}


@pytest.mark.parametrize(
    ("silent_days", "state"), [(0, "loyal"), (7, "loyal"), (8, "due"), (16, "at_risk"), (31, "lapsed")]
)
def test_the_lifecycle_is_that_of_the_moment(answer_of, silent_days, state):
    customer = make_profile("ANNA", last_day=TODAY - 1, orders=9, usual_gap_days=10.0)
    document = answer_of(customer, at=NOW + timedelta(days=silent_days - 1))
    assert (document["lifecycle"], document["recency_days"]) == (state, silent_days)


class TestOrderSince:
    def test_of_a_minute_ago_moves_the_last_order_and_the_lifecycle(self, client):
        before = client.get("/v1/customers/x%2Fy/profile").json
        assert (before["lifecycle"], before["recency_days"]) == ("due", 30)
        buy(client, "KETTLE", customer_id="x/y")
        after = client.get("/v1/customers/x%2Fy/profile").json
        moved = {name for name in after if after[name] != before[name]}
        assert moved == {"lifecycle", "recency_days", "last_order_on", "expected_date_of_next_order"}
        assert (after["lifecycle"], after["recency_days"]) == ("loyal", 0)  # the fourth order
        assert (after["last_order_on"], after["expected_date_of_next_order"]) == (day(0), day(-30))

    def test_of_what_was_due_takes_it_off(self, client):
        buy(client, "MILK")
        assert client.get(PROFILE).json["due"] == []

    def test_that_was_taken_back_moves_nothing(self, client):
        before = client.get("/v1/customers/x%2Fy/profile").json
        buy(client, "KETTLE", hours_ago=2, customer_id="x/y", order_id="o1")
        buy(client, "KETTLE", hours_ago=1, customer_id="x/y", order_id="o1", event_type="refund")
        assert client.get("/v1/customers/x%2Fy/profile").json == before

    def test_that_the_training_knew_moves_nothing(self, client):
        before = client.get(PROFILE).json
        buy(client, "BREAD", hours_ago=20)  # yesterday
        assert client.get(PROFILE).json == before

    def test_of_somebody_new_makes_no_profile(self, client):
        buy(client, "KETTLE", customer_id="NEW")
        assert client.get("/v1/customers/NEW/profile").status_code == 404


def test_an_unknown_customer_is_a_problem(client):
    answer = client.get("/v1/customers/nobody/profile")
    assert (answer.status_code, answer.content_type) == (404, "application/problem+json")
    assert answer.json["code"] == "unknown_customer"
    assert "'nobody' in version 20261120T020000Z-3f2a" in answer.json["detail"]


def test_before_any_version_it_is_not_ready(empty_client):
    answer = empty_client.get(PROFILE)
    assert (answer.status_code, answer.json["code"]) == (503, "model_not_ready")
    assert answer.content_type == "application/problem+json"
    assert empty_client.get("/health/ready").status_code == 503


def test_while_redis_does_not_answer_it_is_unavailable(down_client):
    answer = down_client.get(PROFILE)
    assert (answer.status_code, answer.json["code"]) == (503, "store_unavailable")
    assert answer.content_type == "application/problem+json"


def test_no_last_copy_stands_in(app, client, monkeypatch):
    assert client.get(PROFILE).status_code == 200
    app.extensions["reprise"].shops.cache("default").answering = False
    monkeypatch.setattr(app.extensions["reprise"].shops, "keep_following", lambda: None)
    assert client.get("/v1/customers/ANNA/buy-again").status_code == 200
    assert client.get(PROFILE).status_code == 503


def test_a_version_of_an_earlier_release_knows_nobody(store):
    made = small_shop.publication("20261120T020003Z-3f2a")
    store.publish(replace(made, profiles=None), keep=1)
    client = create_app(Settings(), MemoryShopStorage({"default": store}), lambda: NOW).test_client()
    assert client.get(PROFILE).status_code == 404
    assert client.get("/v1/customers/ANNA/buy-again").status_code == 200


@pytest.mark.parametrize("customer_id", [one for one in HOSTILE_IDS if one not in (".", "..", "/")], ids=ascii)
def test_any_string_is_a_customer(store, customer_id):
    made = publication(make_profile(customer_id), make_profile("ANNA"))
    store.publish(replace(made, manifest=replace(made.manifest, version="20261120T020004Z-3f2a")), keep=1)
    client = create_app(Settings(), MemoryShopStorage({"default": store}), lambda: NOW).test_client()
    answer = client.get("/v1/customers/" + "".join(f"%{byte:02X}" for byte in customer_id.encode()) + "/profile")
    assert (answer.status_code, answer.json["customer_id"]) == (200, customer_id)


def test_an_id_that_no_shop_has_and_a_query_are_refused(client):
    assert client.get(f"/v1/customers/{'x' * 513}/profile").status_code == 400
    assert client.get(f"{PROFILE}?placement=home").status_code == 400
