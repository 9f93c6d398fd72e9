from datetime import date

import polars as pl

from training.analytics.customer_value.cohorts import cohort_retention, last_day_of_month, month_label, month_of_day
from training.analytics.customer_value.order_summary import ORDER_DAYS


def day(year: int, month: int, number: int) -> int:
    return (date(year, month, number) - date(1970, 1, 1)).days


def orders_of(*rows: tuple[str, int]) -> pl.DataFrame:
    return pl.DataFrame([(*row, 1.0) for row in rows], schema=ORDER_DAYS, orient="row").sort("customer_id", "day")


ORDERS = orders_of(
    ("ANNA", day(2025, 11, 3)),
    ("ANNA", day(2025, 11, 20)),
    ("ANNA", day(2026, 1, 5)),
    ("BEN", day(2025, 11, 30)),
    ("BEN", day(2025, 12, 1)),
    ("CLEO", day(2026, 1, 31)),
    ("CLEO", day(2026, 2, 10)),
)


def test_months():
    assert month_label(month_of_day(day(2026, 12, 31))) == "2026-12"
    assert month_of_day(day(2027, 1, 1)) == month_of_day(day(2026, 12, 31)) + 1
    assert last_day_of_month(month_of_day(day(2024, 2, 3))) == day(2024, 2, 29)


def test_who_came_back_by_month_of_the_first_order():
    assert cohort_retention(ORDERS, day(2026, 2, 28)) == {
        "months": ["2025-11", "2025-12", "2026-01", "2026-02"],
        "customers": [2, 0, 1, 0],
        "retention": [[1, 0.5, 0.5, 0], [None, None, None], [1, 1], [None]],
    }


def test_a_month_that_is_not_over_is_not_told():
    known = cohort_retention(ORDERS, day(2026, 2, 27))
    assert known["months"] == ["2025-11", "2025-12", "2026-01"]
    assert known["retention"][2] == [1]


def test_no_whole_month():
    empty = {"months": [], "customers": [], "retention": []}
    assert cohort_retention(ORDERS, day(2025, 11, 29)) == empty
    assert cohort_retention(ORDERS.clear(), day(2025, 11, 29)) == empty
