"""What a customer bought during an experiment and before it, in a world solvable by eye."""

from datetime import timedelta

import polars as pl
import pytest

from recommender.errors import UsageError
from tests.support.worlds import AS_OF, empty_shop, ledger_of
from training.analytics.experiments.assignments import CUSTOMERS
from training.analytics.experiments.outcomes import Period, measure_customers

PERIOD = Period(AS_OF - timedelta(days=10), AS_OF, before_days=20)
"""Days 30 to 10 ago are before, from 10 days ago on is the experiment."""


def people(*ids, entered_days_ago=10.0):
    rows = [(each, "six", AS_OF - timedelta(days=entered_days_ago)) for each in ids]
    return pl.DataFrame(rows, CUSTOMERS, orient="row")


def measured(purchases, *ids, **more):
    frame = measure_customers(ledger_of(purchases), people(*ids, **more), PERIOD)
    return {row[0]: row[2:] for row in frame.rows()}


def test_orders_and_revenue_within_the_period_of_those_assigned():
    """A line costs 2. ANNA: one order of two products and one of one; 15 days ago one more. STRANGER is not in it."""
    purchases = [
        ("ANNA", "MILK", 5),
        ("ANNA", "BREAD", 5),
        ("ANNA", "MILK", 1),
        ("ANNA", "MILK", 15),
        ("STRANGER", "MILK", 5),
    ]
    assert measured(purchases, "ANNA", "NOTHING") == {"ANNA": (1, 2, 6, 0, 1, 2), "NOTHING": (0, 0, 0, 0, 0, 0)}


def test_the_start_is_inside_and_the_end_is_not():
    assert measured([("A", "MILK", 40), ("A", "MILK", 10), ("A", "MILK", 0)], "A")["A"] == (1, 1, 2, 0, 0, 0)


def test_a_first_order_ever_is_no_repeat():
    """FIRST bought once, TWICE for the first and the second time, BACK had bought long before."""
    purchases = [
        ("FIRST", "MILK", 5),
        ("TWICE", "MILK", 5),
        ("TWICE", "MILK", 4),
        ("BACK", "MILK", 99),
        ("BACK", "MILK", 5),
    ]
    repeated = {name: figures[0] for name, figures in measured(purchases, "FIRST", "TWICE", "BACK").items()}
    assert repeated == {"FIRST": 0, "TWICE": 1, "BACK": 1}


def test_purchases_count_from_when_a_customer_entered():
    assert measured([("A", "MILK", 8), ("A", "MILK", 2)], "A", entered_days_ago=4)["A"] == (1, 1, 2, 0, 0, 0)


def test_an_unknown_price_counts_as_nothing():
    ledger = ledger_of([("A", "MILK", 5)]).with_columns(unit_price=pl.lit(None, pl.Float64))
    assert measure_customers(ledger, people("A"), PERIOD)["revenue"].to_list() == [0]


def test_an_empty_shop_and_an_empty_experiment():
    assert measure_customers(empty_shop(), people("A"), PERIOD).row(0) == ("A", "six", 0, 0, 0, 0, 0, 0)
    assert measure_customers(empty_shop(), people(), PERIOD).is_empty()


def test_a_period_that_ends_before_it_starts_is_refused():
    with pytest.raises(UsageError, match="swap the two"):
        Period(AS_OF, AS_OF)
