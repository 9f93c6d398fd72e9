"""POST /v1/events: each event is looked at alone."""

import json

import pytest

from api import create_app
from recommender.settings import Settings
from tests.fakes.shops import MemoryShopStorage
from tests.support import small_shop

PURCHASE = {
    "event_id": "e1",
    "event_type": "purchase",
    "customer_id": "ANNA",
    "product_id": "MILK",
    "occurred_at": "2026-11-20T11:00:00Z",
}


def send(client, *events):
    return client.post("/v1/events", json={"events": events})


def test_good_events_are_accepted_and_counted_once(client):
    answer = send(client, PURCHASE, {**PURCHASE, "event_id": "e2"}, PURCHASE)
    assert (answer.status_code, answer.json) == (202, {"accepted": 2, "duplicates": 1, "rejected": []})
    assert send(client, PURCHASE).json == {"accepted": 0, "duplicates": 1, "rejected": []}


def test_a_bad_one_is_named_and_stops_no_other(client):
    answer = send(client, {"event_id": "x"}, PURCHASE, {**PURCHASE, "occurred_at": "2027-01-01T00:00:00Z"})
    assert (answer.status_code, answer.json["accepted"]) == (202, 1)
    assert [(one["index"], one["code"]) for one in answer.json["rejected"]] == [
        (0, "invalid_event"),
        (2, "in_the_future"),
    ]


@pytest.mark.parametrize("wrong", [None, 7, "x", [], True])
def test_what_is_no_event_at_all_is_named_and_stops_no_other(client, wrong):
    answer = send(client, wrong, PURCHASE)
    assert (answer.status_code, answer.json["accepted"]) == (202, 1)
    assert answer.json["rejected"] == [{"index": 0, "code": "invalid_event", "message": "should be an object"}]


def test_where_none_is_accepted_it_is_a_400_that_says_why(client):
    answer = send(client, {**PURCHASE, "product_id": None}, {**PURCHASE, "occurred_at": "2027-01-01T00:00:00Z"})
    assert (answer.status_code, answer.json["code"]) == (400, "nothing_accepted")
    assert answer.json["detail"] == "none of 2 events was accepted; events.0: purchase needs a product_id"
    assert [(one["field"], one["code"]) for one in answer.json["errors"]] == [
        ("events.0", "invalid_event"),
        ("events.1", "in_the_future"),
    ]


def test_a_repeated_request_is_no_error(client):
    assert [send(client, PURCHASE, {}).status_code for _ in range(2)] == [202, 202]


def test_a_refusal_of_a_thousand_is_short(client):
    answer = send(client, *[{}] * 1_000)
    assert (answer.status_code, len(answer.json["errors"])) == (400, 20)
    assert len(answer.data) < 5_000


def test_ids_and_prices_as_webhooks_write_them(client, store):
    numbers = {"event_id": 1, "customer_id": 7001, "product_id": 42, "unit_price": "4.50", "quantity": None}
    assert send(client, {**PURCHASE, **numbers}).json == {"accepted": 1, "duplicates": 0, "rejected": []}
    (entry,) = store.event_log.queue.take("test")
    assert {**json.loads(entry.wire), "occurred_at": ""} == {
        **PURCHASE,
        "event_id": "1",
        "customer_id": "7001",
        "product_id": "42",
        "unit_price": 4.5,
        "quantity": 1.0,
        "occurred_at": "",
    }


@pytest.mark.parametrize("events", [[], "e", [1], [PURCHASE] * 1001])
def test_what_is_no_list_of_up_to_a_thousand_objects_is_a_400(client, events):
    answer = client.post("/v1/events", json={"events": events})
    assert (answer.status_code, answer.json["errors"][0]["field"].split(".")[0]) == (400, "events")


def test_a_full_log_is_a_503_that_says_when_to_come_back():
    app = create_app(Settings(max_waiting_events=1), MemoryShopStorage(), lambda: small_shop.NOW)
    answer = send(app.test_client(), PURCHASE, {**PURCHASE, "event_id": "e2"})
    assert (answer.status_code, answer.json["code"]) == (503, "back_pressure")
    assert answer.headers["Retry-After"] == "5"
