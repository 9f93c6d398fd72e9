"""An event says who did what, and when; everything else is refused by name."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.errors import EventRejectedError
from recommender.events.event import Event, check_event
from recommender.person import digest

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
PURCHASE = {
    "event_id": "e1",
    "event_type": "purchase",
    "customer_id": "ANNA",
    "product_id": "MILK",
    "occurred_at": "2026-11-20T11:00:00Z",
}


def refusal(**changes: object) -> tuple[str, str]:
    with pytest.raises(EventRejectedError) as caught:
        check_event({**PURCHASE, **changes}, NOW, None)
    return caught.value.reason, str(caught.value)


def test_a_purchase_needs_no_more_than_who_what_and_when():
    event = check_event(PURCHASE, NOW, None)
    assert (event.customer_id, event.product_id, event.quantity, event.unit_price) == ("ANNA", "MILK", 1.0, None)
    assert event.occurred_at == NOW - timedelta(hours=1)


def test_it_comes_back_from_its_bytes_and_they_are_always_the_same():
    event = check_event({**PURCHASE, "product_id": "käse 🧀", "unit_price": 3, "currency": "EUR"}, NOW, "EUR")
    assert Event.from_json(event.to_json()) == event
    assert Event.from_json(event.to_json()).to_json() == event.to_json()


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"event_type": "bought"}, "event_type"),
        ({"colour": "red"}, "colour"),
        ({"customer_id": None}, "customer_id"),
        ({"product_id": None}, "product_id"),
        ({"event_id": ""}, "event_id"),
        *[({"event_id": number}, "event_id") for number in (7.5, 1e30, 2.0**53, float("inf"), float("nan"))],
        ({"customer_id": True}, "customer_id"),
        ({"product_id": [42]}, "product_id"),
        ({"product_id": "x" * 513}, "product_id"),
        ({"occurred_at": "2026-11-20T11:00:00"}, "occurred_at"),
        ({"occurred_at": "yesterday"}, "occurred_at"),
        ({"occurred_at": "0001-01-01T00:00:00Z"}, "occurred_at"),
        ({"quantity": 0}, "quantity"),
        *[({"quantity": text}, "quantity") for text in ("0", "2,5", "1e3", " 2", "+2", "", "two", "9" * 400)],
        *[({"unit_price": text}, "unit_price") for text in ("-1", "4,50", "4.", ".5", "\u0664", "NaN")],
        ({"quantity": True}, "quantity"),
        ({"quantity": float("nan")}, "quantity"),
        ({"unit_price": -1}, "unit_price"),
        ({"currency": "eur"}, "currency"),
        ({"currency": "ZZZ"}, "'ZZZ' is no currency code of ISO 4217; write three capital letters, such as EUR"),
        ({"event_type": "view", "customer_id": None}, "session_id"),
    ],
)
def test_what_cannot_be_is_named(changes, word):
    reason, message = refusal(**changes)
    assert reason == "invalid_event"
    assert word in message


@pytest.mark.parametrize("raw", [None, 1, "e", [], {}])
def test_what_is_no_object_or_empty_is_refused(raw):
    with pytest.raises(EventRejectedError):
        check_event(raw, NOW, None)


def test_whole_numbers_are_ids_decimals_may_be_text_and_null_is_absent():
    """As shops' webhooks write them."""
    numbers = {"event_id": 1, "customer_id": 7001, "product_id": 42.0, "order_id": -5, "quantity": "2"}
    event = check_event({**PURCHASE, **numbers, "unit_price": "4.50", "currency": None}, NOW, "EUR")
    assert (event.event_id, event.customer_id, event.product_id, event.order_id) == ("1", "7001", "42", "-5")
    assert (event.quantity, event.unit_price) == (2.0, 4.5)
    assert check_event({**PURCHASE, "customer_id": 2**70}, NOW, None).customer_id == str(2**70)
    nulls = dict.fromkeys(set(Event.model_fields) - set(PURCHASE))
    assert check_event({**PURCHASE, **nulls}, NOW, None) == check_event(PURCHASE, NOW, None)


def test_all_that_is_wrong_is_told_at_once():
    wrong = {"event_type": "view", "occurred_at": "2026-11-21T12:00:00Z", "quantity": 0, "currency": "USD", "colour": 1}
    with pytest.raises(EventRejectedError) as caught:
        check_event(wrong, NOW, "EUR")
    assert caught.value.reason == "invalid_event"
    fields = [part.partition(": ")[0] for part in str(caught.value).split("; ") if ": " in part]
    assert fields == ["event_id", "occurred_at", "quantity", "currency", "colour"]
    assert str(caught.value).endswith("view needs a customer_id or a session_id; view needs a product_id")
    valid_but_late = {**PURCHASE, "occurred_at": "2026-11-21T12:00:00Z", "currency": "USD"}
    with pytest.raises(EventRejectedError, match=r"is after now.*'USD' is not 'EUR'") as caught:
        check_event(valid_but_late, NOW, "EUR")
    assert caught.value.reason == "in_the_future"


def test_what_is_told_has_a_bound():
    with pytest.raises(EventRejectedError) as caught:
        check_event({f"{n}{'x' * 9_999}": 1 for n in range(1_000)}, NOW, None)
    assert len(str(caught.value)) < 3_000


def test_a_clock_that_is_not_the_shops_is_not_looked_at():
    assert check_event({**PURCHASE, "occurred_at": "2027-01-01T00:00:00Z"}, None, None).occurred_at > NOW


def test_a_clock_may_be_five_minutes_ahead():
    assert check_event({**PURCHASE, "occurred_at": "2026-11-20T12:05:00Z"}, NOW, None)
    reason, message = refusal(occurred_at="2026-11-20T12:05:01Z")
    assert reason == "in_the_future"
    assert "2026-11-20T12:05:01" in message


def test_what_was_accepted_with_another_code_stays_readable():
    event = check_event({**PURCHASE, "currency": "EUR"}, NOW, None)
    assert Event.from_json(event.to_json().replace(b"EUR", b"ZZZ")).currency == "ZZZ"


def test_another_currency_is_refused_where_the_shop_has_one():
    assert check_event({**PURCHASE, "currency": "USD"}, NOW, None).currency == "USD"
    assert check_event(PURCHASE, NOW, "EUR").currency is None
    with pytest.raises(EventRejectedError, match="USD"):
        check_event({**PURCHASE, "currency": "USD"}, NOW, "EUR")


@pytest.mark.parametrize("event_type", ["view", "add_to_cart", "remove_from_cart", "impression", "click"])
def test_an_anonymous_session_looks_and_clicks(event_type):
    raw = {**PURCHASE, "event_type": event_type, "customer_id": None, "session_id": "s1"}
    assert check_event(raw, NOW, None).session_id == "s1"


@pytest.mark.parametrize("event_type", ["mail_sent", "mail_open", "unsubscribe"])
def test_a_mail_needs_no_product(event_type):
    assert check_event({**PURCHASE, "event_type": event_type, "product_id": None}, NOW, None).product_id is None


@given(st.text(), st.text())
def test_two_ids_have_two_digests_fit_for_a_key(one, other):
    assert (digest(one) == digest(other)) == (one == other)
    assert len(digest(one)) == 32
    assert digest(one).isalnum()


def test_its_json_is_ascii_and_holds_whatever_ids_may():
    for customer_id in ("käse", "\U0001f600", 'quote"\\\n'):
        event = Event(event_id="1", event_type="subscribe", customer_id=customer_id, occurred_at="2026-11-20T08:00:00Z")
        assert event.to_json().isascii()
        assert json.loads(event.to_json())["customer_id"] == customer_id
