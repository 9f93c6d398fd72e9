from datetime import UTC, datetime, timedelta

import polars as pl

from training.ingest.schema import LEDGER
from training.reports.data_needs import list_needs

START = datetime(2024, 1, 1, tzinfo=UTC)


def ledger(*lines):
    """(customer, product, day)."""
    rows = [(c, p, START + timedelta(days=day), f"{c}{day}", 1.0, None) for c, p, day in lines]
    return pl.DataFrame(rows, schema=LEDGER, orient="row").sort("ordered_at")


def found(table):
    return {need.feature: need.found for need in list_needs(table, horizon_days=30)}


def test_what_each_feature_learns_from_is_counted():
    weekly = [("ann", "milk", 7 * week) for week in range(20)]
    counts = found(ledger(*weekly, ("ann", "bread", 0), *((f"c{n}", "milk", 0) for n in range(5))))
    assert counts == {
        "similar": 1,  # milk has six buyers
        "discover": 1,  # ann knows two products
        "bought together": 1,  # her first order
        "buy again": 1,
        "due date": 1,
        "trending": 5,  # days 105, 112, 119, 126, 133 of 133
        "gate (evaluation)": 1,
    }


def test_an_empty_ledger_has_nothing_of_anything():
    assert set(found(ledger()).values()) == {0}


def test_a_need_says_whether_it_is_met():
    need = list_needs(ledger(("ann", "milk", 0)), horizon_days=30)[0]
    assert not need.enough
    assert need.to_dict() == {
        "feature": "similar",
        "enough": False,
        "found": 0,
        "needed": 20,
        "counted": "products with 5 or more buyers",
    }
