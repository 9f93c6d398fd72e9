"""What is past, what is truth, and where the cut falls."""

from datetime import timedelta

import polars as pl
import pytest

from tests.worlds import AS_OF, empty_shop, ledger_of
from training.split import split_window

CUT = AS_OF - timedelta(days=30)


def pairs(frame: pl.DataFrame) -> list[tuple[str, ...]]:
    return frame.rows()


def test_truth_is_what_old_customers_bought_in_the_window_each_pair_once():
    anna = [("ANNA", "MILK", 40), ("ANNA", "MILK", 20), ("ANNA", "MILK", 10), ("ANNA", "JAM", 10)]
    never_came_back, without_a_past = ("BEN", "MILK", 40), ("NEW", "MILK", 10)
    window = split_window(ledger_of([*anna, never_came_back, without_a_past]), CUT, 30)
    assert pairs(window.truth) == [("ANNA", "JAM"), ("ANNA", "MILK")]
    assert pairs(window.repeat) == [("ANNA", "MILK")]
    assert pairs(window.discover) == [("ANNA", "JAM")]
    assert pairs(window.bought) == [("ANNA", "MILK")]
    assert window.customers.to_list() == ["ANNA"]


def test_the_cut_belongs_to_the_window_and_its_end_does_not():
    ledger = ledger_of([("ANNA", "OLD", 31), ("ANNA", "FIRST", 30), ("ANNA", "LAST", 20.001), ("ANNA", "AFTER", 20)])
    window = split_window(ledger, CUT, 10)
    assert window.past["product_id"].to_list() == ["OLD"]
    assert window.truth["product_id"].to_list() == ["FIRST", "LAST"]


def test_repeat_and_discover_make_up_the_truth():
    purchases = [(f"C{n % 7}", f"P{n * n % 11}", n % 60 + 0.5) for n in range(200)]
    window = split_window(ledger_of(purchases), CUT, 30)
    assert not window.repeat.is_empty()
    assert not window.discover.is_empty()
    assert pl.concat([window.repeat, window.discover]).sort("customer_id", "product_id").equals(window.truth)


@pytest.mark.parametrize("purchases", [[], [("ANNA", "MILK", 40)], [("ANNA", "MILK", 10)]])
def test_no_past_or_no_future_gives_an_empty_truth(purchases):
    window = split_window(ledger_of(purchases) if purchases else empty_shop(), CUT, 30)
    assert window.truth.is_empty()
    assert window.repeat.is_empty()
    assert window.discover.is_empty()
    assert window.customers.is_empty()
