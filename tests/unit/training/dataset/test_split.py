"""What is past, what is truth, and where the cut falls."""

from datetime import timedelta

import polars as pl
import pytest

from recommender.errors import TooLittleDataError, UsageError
from tests.support.worlds import AS_OF, empty_shop, ledger_of
from training.dataset.coded_ids import code_ids
from training.dataset.split import check_cuts, last_cuts, split_window

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


def test_some_customers_are_drawn_with_all_that_they_bought():
    purchases = [(f"C{n}", "MILK", 40) for n in range(9)] + [(f"C{n}", each, 10) for n in range(9) for each in "AB"]
    window = split_window(ledger_of([*purchases, ("NEW", "MILK", 10)]), CUT, 30)
    drawn = window.draw(4, 0)
    assert len(drawn.customers) == 4
    assert drawn.truth.equals(window.truth.join(drawn.customers.to_frame(), on="customer_id", how="semi"))
    assert drawn.newcomers.equals(window.newcomers)
    assert drawn.past.equals(window.past)
    assert window.draw(4, 0).customers.equals(drawn.customers)
    assert not window.draw(4, 1).customers.equals(drawn.customers)
    assert window.draw(9, 0) is window


def test_coded_ids_give_the_same_texts():
    purchases = [(f"C{n}", each, day) for n in range(9) for each, day in (("A", 40), ("B", 10))]
    ledger = ledger_of([*purchases, ("NEW", "MILK", 10), ("C1", "A", 5)])
    texts, coded = (split_window(each, CUT, 30).draw(4, 0) for each in (ledger, code_ids(ledger)))
    for name in ("truth", "newcomers", "bought", "past_orders", "repeat", "discover"):
        assert getattr(coded, name).equals(getattr(texts, name)), name
    assert coded.everyone.equals(texts.everyone)


@pytest.mark.parametrize("purchases", [[], [("ANNA", "MILK", 40)], [("ANNA", "MILK", 10)]])
def test_no_past_or_no_future_gives_an_empty_truth(purchases):
    window = split_window(ledger_of(purchases) if purchases else empty_shop(), CUT, 30)
    assert window.truth.is_empty()
    assert window.repeat.is_empty()
    assert window.discover.is_empty()
    assert window.customers.is_empty()


def test_newcomers_are_who_had_no_past():
    ledger = ledger_of([("ANNA", "MILK", 40), ("ANNA", "TEA", 10), ("NEW", "MILK", 10), ("NEW", "MILK", 5)])
    window = split_window(ledger, CUT, 30)
    assert pairs(window.newcomers) == [("NEW", "MILK")]
    assert window.everyone.to_list() == ["ANNA", "NEW"]
    assert window.past_orders.rows() == [("ANNA", 1)]


def test_last_cuts_leave_windows_that_touch_and_end_with_the_last_purchase():
    ledger = ledger_of([("ANNA", "MILK", day) for day in (0.5, 90)])
    cuts = last_cuts(ledger, 2, 30)
    assert [cut - cuts[1] for cut in cuts] == [timedelta(days=-30), timedelta(0)]
    assert split_window(ledger, cuts[1], 30).later["product_id"].to_list() == ["MILK"]


def test_more_windows_than_there_is_history_are_refused():
    with pytest.raises(TooLittleDataError, match="fewer windows"):
        last_cuts(ledger_of([("ANNA", "MILK", day) for day in (0.5, 50)]), 2, 30)


def test_a_cut_after_everything_is_refused():
    with pytest.raises(UsageError, match="nothing was bought from 2026-11-20 on"):
        check_cuts(ledger_of([("ANNA", "MILK", 1)]), [AS_OF])
