"""Outcomes of an experiment: each customer's orders and revenue, during it and before it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from recommender.errors import UsageError

MEASURES = ("repeated", "orders", "revenue")
"""Columns of one customer: placed an order that was not the first ever (0 or 1) · orders · revenue of them."""


@dataclass(frozen=True)
class Period:
    """The period of an experiment, and the time before it that CUPED compares with.

    Attributes:
        start: aware; purchases count from here on, or from when a customer entered.
        end: aware; purchases count until just before it.
        before_days: length of the time before `start`.

    Raises:
        UsageError: it ends before it starts.
    """

    start: datetime
    end: datetime
    before_days: int = 90

    def __post_init__(self) -> None:
        if self.start >= self.end:
            raise UsageError(f"the experiment ends at {self.end}, not after its start at {self.start}; swap the two?")

    @property
    def before(self) -> datetime:
        """The beginning of the time before the experiment, aware."""
        return self.start - timedelta(days=self.before_days)


def lines_of(ledger: pl.DataFrame, customers: pl.DataFrame) -> pl.DataFrame:
    """Purchases of `customers` with their variant, entered_at and revenue; 0 where a price is not known."""
    revenue = (pl.col("quantity") * pl.col("unit_price")).fill_null(0.0)
    return ledger.join(customers, on="customer_id", how="inner").with_columns(revenue.alias("revenue"))


def measure_customers(ledger: pl.DataFrame, customers: pl.DataFrame, period: Period) -> pl.DataFrame:
    """Outcomes of all customers, one row each, also of those who bought nothing.

    Args:
        ledger: purchases as `training.ingest.ingest` returns them.
        customers: schema `training.analytics.experiments.assignments.CUSTOMERS`.
        period: of the experiment.

    Returns:
        customer_id, variant, each of MEASURES as Float64, and each again with `_before` behind it for the time before
        the start; sorted by customer_id.
    """
    orders = (
        lines_of(ledger, customers)
        .group_by("customer_id", "order_id")
        .agg(pl.col("ordered_at", "entered_at").min(), pl.col("revenue").sum())
        .sort("customer_id", "ordered_at", "order_id")
        .with_columns(pl.col("customer_id").is_first_distinct().not_().alias("repeated"))
    )
    during = _sum_up(orders.filter(pl.col("ordered_at").is_between("entered_at", period.end, closed="left")), "")
    before = orders.filter(pl.col("ordered_at").is_between(period.before, period.start, closed="left"))
    measured = customers.select("customer_id", "variant")
    for part in (during, _sum_up(before, "_before")):
        measured = measured.join(part, on="customer_id", how="left")
    return measured.fill_null(0.0).sort("customer_id")


def _sum_up(orders: pl.DataFrame, suffix: str) -> pl.DataFrame:
    figures = orders.group_by("customer_id").agg(
        pl.col("repeated").any().cast(pl.Float64),
        pl.len().cast(pl.Float64).alias("orders"),
        pl.col("revenue").sort().sum(),  # in one order, so that the last digit is the same at each run
    )
    return figures.rename({name: name + suffix for name in MEASURES})
