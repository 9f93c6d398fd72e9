import numpy as np
import pytest

from tests.support.worlds import AS_OF, ledger_of, one_off_buyer, weekly_milk_buyer
from training.analytics.customer_value.next_order import own_mean_gap_days, usual_gap_days
from training.analytics.customer_value.order_summary import OrderSummary, build_order_days, last_day_before, summarise


def summary_of(ledger) -> OrderSummary:
    return summarise(build_order_days(ledger), last_day_before(AS_OF))


def test_a_weekly_buyer_has_a_week_and_gives_it_to_the_other():
    summary = summary_of(weekly_milk_buyer())
    assert usual_gap_days(summary).tolist() == pytest.approx([7, 7])
    own = own_mean_gap_days(summary)
    assert own[0] == 7
    assert np.isnan(own[1])


def test_a_single_gap_is_drawn_to_the_shops():
    yearly = [("BEN", "SOAP", 300.5), ("BEN", "SOAP", 0.5)]
    weekly = [(f"C{n}", "MILK", 0.5 + 7 * week) for n in range(50) for week in range(10)]
    summary = summary_of(ledger_of([*yearly, *weekly]))
    assert 7 < usual_gap_days(summary)[0] < 60
    assert usual_gap_days(summary)[1:] == pytest.approx(7, rel=0.1)
    assert own_mean_gap_days(summary)[0] == 300


def test_nobody_came_back():
    assert np.isnan(usual_gap_days(summary_of(one_off_buyer()))).all()
    assert len(usual_gap_days(summary_of(ledger_of([])))) == 0
