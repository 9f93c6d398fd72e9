"""What came of campaigns, counted from events."""

from datetime import timedelta

import pytest

from tests.support.event_files import NOW, archive, event
from training.analytics.results.campaigns import count_campaigns

DAY = timedelta(days=1)
numbers = iter(range(10_000))


def happened(event_type, days_ago, customer_id, product_id=None, **fields):
    moment = {"occurred_at": NOW - days_ago * DAY, "event_type": event_type}
    return event(f"e{next(numbers)}", customer_id, product_id, **moment, **fields)


def mail(event_type, days_ago, customer_id, product_id=None, campaign="reorder"):
    return happened(event_type, days_ago, customer_id, product_id, campaign_id=campaign)


@pytest.fixture
def count(tmp_path):
    return lambda *events: count_campaigns(archive(tmp_path, *events).read(), 7).to_dicts()


def test_people_are_counted_once_for_each_thing_that_they_did(count):
    [row] = count(
        *(mail("mail_sent", 9, who) for who in ("ANNA", "BEN", "CLEO", "DORA")),
        *(mail("mail_open", 8, who) for who in ("ANNA", "ANNA", "BEN")),
        mail("mail_bounce", 9, "CLEO"),
        mail("click", 8, "ANNA", "MILK"),
        mail("click", 7.9, "ANNA", "TEA"),
        mail("click", 8, "BEN", "MILK"),
        mail("unsubscribe", 7, "DORA"),
        mail("mail_complaint", 7, "DORA"),
        happened("purchase", 7, "ANNA", "MILK", quantity=2, unit_price=1.2, currency="EUR"),
        happened("purchase", 7, "BEN", "BREAD", unit_price=3, currency="EUR"),
        happened("purchase", 7, "EVE", "MILK", unit_price=3, currency="EUR"),
        happened("purchase", 0.5, "BEN", "MILK"),
    )
    assert row["first_sent_at"] == NOW - 9 * DAY
    figures = {name: row[name] for name in row if name not in {"first_sent_at", "money"}}
    assert figures == {
        "campaign_id": "reorder",
        "sent": 4,
        "bounced": 1,
        "opened": 2,
        "clicked": 2,
        "complained": 1,
        "unsubscribed": 1,
        "ordered": 2,
        "bought": 1,
        "units": 2,
    }
    assert row["money"] == [{"currency": "EUR", "amount": 2.4}]


def test_the_latest_campaign_comes_first_and_a_purchase_belongs_to_the_last_click(count):
    rows = count(
        mail("mail_sent", 6, "ANNA", campaign="first"),
        mail("click", 5, "ANNA", "MILK", campaign="first"),
        mail("mail_sent", 4, "ANNA", campaign="second"),
        mail("click", 3, "ANNA", "MILK", campaign="second"),
        happened("purchase", 2, "ANNA", "MILK"),
    )
    assert [(row["campaign_id"], row["ordered"], row["bought"]) for row in rows] == [("second", 1, 1), ("first", 0, 0)]


def test_what_is_of_no_campaign_is_in_none(count):
    assert count(happened("unsubscribe", 1, "ANNA"), happened("purchase", 1, "ANNA", "MILK")) == []
