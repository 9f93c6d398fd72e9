from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from recommender.days import date_of
from tests.support.worlds import AS_OF, empty_shop, ledger_of, two_tastes, weekly_milk_buyer
from training.analytics.customer_value.bg_nbd import past_of
from training.analytics.customer_value.order_summary import (
    ORDER_DAYS,
    SUMMARY,
    build_order_days,
    divide,
    last_day_before,
    summarise,
)
from training.dataset import coded_ids
from training.dataset.coded_ids import code_ids

UNTIL = last_day_before(AS_OF)


def test_the_last_day_ends_before_as_of():
    assert date_of(UNTIL) == date(2026, 11, 19)
    assert last_day_before(AS_OF + timedelta(seconds=1)) == UNTIL + 1
    assert date_of(last_day_before(datetime(1997, 10, 1, tzinfo=UTC))) == date(1997, 9, 30)


def test_orders_of_one_day_are_one_order():
    ledger = ledger_of([("ANNA", "MILK", 3.5), ("ANNA", "BREAD", 3.2), ("ANNA", "MILK", 1.5)])
    order_days = build_order_days(ledger.with_columns(order_id=pl.col("product_id")))
    assert order_days.schema == ORDER_DAYS
    assert order_days["value"].to_list() == [4.0, 2.0]


def test_a_weekly_buyer():
    summary = summarise(build_order_days(weekly_milk_buyer()), UNTIL)
    assert summary.customers.schema == SUMMARY
    anna, ben = summary.customers.to_dicts()
    assert (anna["orders"], anna["spent"], anna["repeat_priced"], anna["repeat_value"]) == (20, 40.0, 19, 2.0)
    assert anna["sum_log_gap"] == pytest.approx(19 * np.log(7))
    assert (ben["orders"], ben["sum_log_gap"], ben["repeat_priced"], ben["repeat_value"]) == (1, 0, 0, None)
    assert summary.silent_days.tolist() == [5, 40]
    frequency, recency, age = past_of(summary)
    assert frequency.tolist() == [19, 0]
    assert recency.tolist() == [19, 0]
    assert age.tolist() == pytest.approx([19 + 5 / 7, 40 / 7])


def test_later_days_are_not_known():
    early = summarise(build_order_days(weekly_milk_buyer()), UNTIL - 50)
    assert early.customers["customer_id"].to_list() == ["ANNA"]
    assert early.customers["orders"].to_list() == [13]


def test_prices_that_are_not_known():
    ledger = ledger_of([("ANNA", "MILK", 9.5), ("ANNA", "MILK", 5.5), ("ANNA", "PAN", 5.5), ("BEN", "PAN", 1.5)])
    ledger = ledger.with_columns(unit_price=pl.when(pl.col("product_id") == "MILK").then(2.0))
    anna, ben = summarise(build_order_days(ledger), UNTIL).customers.to_dicts()
    assert (anna["spent"], anna["priced_orders"], anna["repeat_value"]) == (4.0, 2, 2.0)
    assert (ben["spent"], ben["priced_orders"], ben["repeat_value"]) == (None, 0, None)


def test_an_empty_shop():
    summary = summarise(build_order_days(empty_shop()), UNTIL)
    assert summary.customers.schema == SUMMARY
    assert len(summary.customers) == len(past_of(summary).age) == 0


def test_division_by_nothing_is_nan():
    assert np.isnan(divide(np.ones(2), np.array([0.0, 2.0]))).tolist() == [True, False]


def test_some_customers_at_a_time_have_the_same_order_days(monkeypatch):
    ledger = code_ids(two_tastes())
    whole = build_order_days(ledger)
    monkeypatch.setattr(coded_ids, "_LINES", 7)
    assert build_order_days(ledger).equals(whole)
    assert len(whole) > 7
