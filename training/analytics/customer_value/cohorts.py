"""Cohort retention: of the customers whose first order was in a month, the share that ordered in each later month."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl

from recommender.days import date_of, day_of


def month_label(month: int) -> str:
    """The label of a month counted from year 0, such as `2026-11`."""
    return f"{month // 12:04}-{month % 12 + 1:02}"


def month_of_day(day: int) -> int:
    """The month, counted from year 0, of a day since 1970-01-01."""
    on = date_of(day)
    return on.year * 12 + on.month - 1


def last_day_of_month(month: int) -> int:
    """The last day of a month counted from year 0, in days since 1970-01-01."""
    after = month + 1
    return day_of(datetime(after // 12, after % 12 + 1, 1, tzinfo=UTC).timestamp()) - 1


def month_expression() -> pl.Expr:
    """`month_of_day` of the column `day`, Int32."""
    on = pl.col("day").cast(pl.Date)
    return (on.dt.year() * 12 + on.dt.month().cast(pl.Int32) - 1).alias("month")


def cohort_retention(order_days: pl.DataFrame, until: int) -> dict[str, Any]:
    """Retention by month of the first order and number of months since.

    Args:
        order_days: schema ORDER_DAYS.
        until: the last day known; a month that ends after it is left out, as it would look like a loss.

    Returns:
        `months`: labels of the cohorts, oldest first; `customers`: how many are in each; `retention`: a list for each,
        from 1.0 for the month itself to the last month known; null in a cohort without customers.
        No whole month with orders: empty lists.
    """
    whole = month_of_day(until + 1)
    past = order_days.filter(pl.col("day") <= until)
    # numbers in place of names: much faster to tell apart
    active = past.select(pl.col("customer_id").rle_id(), month_expression()).unique()
    active = active.with_columns(pl.col("month").min().over("customer_id").alias("cohort"))
    active = active.filter(pl.col("month") < whole)
    if active.is_empty():
        return {"months": [], "customers": [], "retention": []}
    first = int(active["cohort"].min())  # type: ignore[arg-type]
    size = whole - first
    cohort, month = (active[name].to_numpy() - first for name in ("cohort", "month"))
    counts = np.bincount(cohort * size + month, minlength=size * size).reshape(size, size)
    customers = counts.diagonal()
    return {
        "months": [month_label(first + i) for i in range(size)],
        "customers": customers.tolist(),
        "retention": [
            [int(n) / int(of) if of else None for n in row[i:]]
            for i, (row, of) in enumerate(zip(counts, customers, strict=True))
        ],
    }
