"""Recommended, clicked, bought: in a world solvable by eye."""

from datetime import timedelta

import polars as pl
import pytest

from recommender.errors import MissingColumnError
from tests.support.worlds import AS_OF, empty_shop, ledger_of
from training.analytics.experiments.assignments import CUSTOMERS
from training.analytics.experiments.attribution import attribute, read_events
from training.analytics.experiments.outcomes import Period
from training.cells.times import UTC_MOMENT
from training.tables.workspace import Workspace

PERIOD = Period(AS_OF - timedelta(days=20), AS_OF)
PEOPLE = pl.DataFrame(
    [("ANNA", "six", PERIOD.start), ("BEN", "six", PERIOD.start), ("CARL", "control", PERIOD.start)],
    CUSTOMERS,
    orient="row",
)


def events_of(*rows):
    """(customer_id, product_id, recommendation_id, event_type, days before AS_OF)."""
    schema = dict.fromkeys(("customer_id", "product_id", "recommendation_id", "event_type"), pl.String)
    dated = [(*row[:4], AS_OF - timedelta(days=row[4])) for row in rows]
    return pl.DataFrame(dated, {**schema, "occurred_at": UTC_MOMENT}, orient="row")


def follow(events, *purchases, within_days=7):
    return attribute(events, ledger_of(purchases), PEOPLE, PERIOD, within_days)


def test_the_way_from_recommendation_to_purchase():
    """ANNA saw MILK and BREAD, clicked MILK and bought it 3 days later; BEN saw MILK and bought it without a click."""
    events = events_of(
        ("ANNA", "MILK", "r1", "impression", 10),
        ("ANNA", "BREAD", "r1", "impression", 10),
        ("ANNA", "MILK", "r1", "click", 10),
        ("BEN", "MILK", "r2", "impression", 10),
        ("STRANGER", "MILK", "r3", "click", 10),
    )
    found = follow(events, ("ANNA", "MILK", 7), ("BEN", "MILK", 9), ("STRANGER", "MILK", 9))
    six = found["six"]
    assert (six.customers, six.recommended, six.clicked, six.bought, six.orders, six.revenue) == (2, 3, 1, 1, 1, 2.0)
    assert six.revenue_per_customer == 1.0
    assert found["control"].recommended == 0


def test_a_purchase_counts_once_for_the_last_click():
    events = events_of(("ANNA", "MILK", "r1", "click", 10), ("ANNA", "MILK", "r2", "click", 9))
    six = follow(events, ("ANNA", "MILK", 8))["six"]
    assert (six.clicked, six.bought, six.revenue) == (2, 1, 2.0)


def test_two_purchases_after_one_click_are_one_recommendation_bought():
    six = follow(events_of(("ANNA", "MILK", None, "click", 10)), ("ANNA", "MILK", 8), ("ANNA", "MILK", 6))["six"]
    assert (six.bought, six.orders, six.revenue) == (1, 2, 4.0)


@pytest.mark.parametrize(("days_ago", "bought"), [(11, 0), (10, 1), (3, 1), (2.9, 0)])
def test_only_within_the_days_after_the_click(days_ago, bought):
    six = follow(events_of(("ANNA", "MILK", "r1", "click", 10)), ("ANNA", "MILK", days_ago))["six"]
    assert six.bought == bought


def test_clicks_and_purchases_outside_of_the_period_do_not_count():
    before = follow(events_of(("ANNA", "MILK", "r1", "click", 21)), ("ANNA", "MILK", 19))["six"]
    after = follow(events_of(("ANNA", "MILK", "r1", "click", 1)), ("ANNA", "MILK", -1))["six"]
    assert (before.clicked, before.bought, after.clicked, after.bought) == (0, 0, 1, 0)


def test_nothing_happened():
    found = attribute(events_of(), empty_shop(), PEOPLE, PERIOD, 7)
    assert (found["six"].recommended, found["six"].revenue) == (0, 0.0)


def test_events_are_read_and_bad_ones_counted(tmp_path):
    file = tmp_path / "events.csv"
    file.write_text(
        "customer_id,product_id,event_type,occurred_at\n"
        "00123,MILK,click,1790000000\n,MILK,click,1790000000\nANNA,MILK,click,\nANNA,MILK,click,then\n"
    )
    events, unusable = read_events(file, Workspace(tmp_path))
    assert events.select("customer_id", "recommendation_id").rows() == [("00123", None)]
    assert unusable == 3
    file.write_text("customer_id,product_id,occurred_at\nA,B,2026-01-01\n")
    with pytest.raises(MissingColumnError, match="no column 'event_type'"):
        read_events(file, Workspace(tmp_path))
