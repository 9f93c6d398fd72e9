"""The order summary: first and last day, number and value of each customer's orders, as customer value models need.

Time is counted in whole days (UTC), and what one customer orders on one day is one order, as in the published CDNOW
figures: the models know no two orders at the same moment.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recommender.days import day_of
from training.dataset.coded_ids import runs_of_customers

Floats = NDArray[np.float64]

ORDER_DAYS = pl.Schema({"customer_id": pl.String(), "day": pl.Int32(), "value": pl.Float64()})
"""One row per customer and day with an order, sorted by both. `day` is days since 1970-01-01; `value` is the sum of
quantity times unit_price, null where no price is known."""

SUMMARY = pl.Schema(
    {
        "customer_id": pl.String(),
        "first_day": pl.Int32(),
        "last_day": pl.Int32(),
        "orders": pl.Int64(),
        "sum_log_gap": pl.Float64(),
        "spent": pl.Float64(),
        "priced_orders": pl.Int64(),
        "repeat_priced": pl.Int64(),
        "repeat_value": pl.Float64(),
    }
)
"""One row per customer, sorted by customer_id. `sum_log_gap` sums ln(days) over the `orders` - 1 gaps; `spent` sums
the `priced_orders` of known value, null where there is none; `repeat_value` is the mean value of the `repeat_priced`
orders after the first day, null where there is none."""

_ENGINE: Final = "in-memory"
"""The streaming engine adds up in an order of its own, so that the last digit differs from run to run."""


@dataclass(frozen=True)
class OrderSummary:
    """The order summary of every customer at the end of a day.

    Attributes:
        customers: schema SUMMARY.
        until: the last day that is known, days since 1970-01-01; no later than it is any `last_day`.
    """

    customers: pl.DataFrame
    until: int

    def column(self, name: str) -> Floats:
        """A column as (n_customers,) float64; NaN where null."""
        return self.customers[name].cast(pl.Float64).to_numpy()

    @property
    def age_days(self) -> Floats:
        """Days from the first order to the last day known, (n_customers,): T of the papers."""
        return self.until - self.column("first_day")

    @property
    def silent_days(self) -> Floats:
        """Days from the last order to the last day known, (n_customers,)."""
        return self.until - self.column("last_day")


def last_day_before(as_of: datetime) -> int:
    """The last day known at `as_of`, an aware datetime, in days since 1970-01-01; midnight belongs to the next day."""
    return day_of((as_of - timedelta(microseconds=1)).timestamp())


def build_order_days(ledger: pl.DataFrame) -> pl.DataFrame:
    """Order days of a ledger (`training.ingest.schema.LEDGER`), schema ORDER_DAYS; an empty ledger gives no rows."""
    return pl.concat([_order_days_of(customers) for customers in runs_of_customers(ledger)])


def _order_days_of(ledger: pl.DataFrame) -> pl.DataFrame:
    worth = pl.col("quantity") * pl.col("unit_price")
    return (
        ledger.lazy()
        .group_by("customer_id", pl.col("ordered_at").dt.epoch("d").cast(pl.Int32).alias("day"))
        .agg(pl.when(worth.count() > 0).then(worth.sum()).alias("value"))
        .sort("customer_id", "day")
        .collect(engine=_ENGINE)
    )


def summarise(order_days: pl.DataFrame, until: int) -> OrderSummary:
    """The order summary at the end of the day `until`, days since 1970-01-01; no order days up to it: no customers.

    Args:
        order_days: schema ORDER_DAYS, in its order; later days are left out.
        until: days since 1970-01-01.
    """
    same = pl.col("customer_id") == pl.col("customer_id").shift()
    gap = pl.when(same).then(pl.col("day") - pl.col("day").shift())
    value, repeat = pl.col("value"), pl.col("gap").is_not_null()
    customers = (
        order_days.lazy()
        .filter(pl.col("day") <= until)
        .with_columns(gap.alias("gap"))
        .group_by("customer_id")
        .agg(
            pl.col("day").min().alias("first_day"),
            pl.col("day").max().alias("last_day"),
            pl.len().alias("orders"),
            pl.col("gap").log().sum().alias("sum_log_gap"),
            pl.when(value.count() > 0).then(value.sum()).alias("spent"),
            value.count().alias("priced_orders"),
            value.filter(repeat).count().alias("repeat_priced"),
            value.filter(repeat).mean().alias("repeat_value"),
        )
        .cast(SUMMARY)
        .sort("customer_id")
        .collect(engine=_ENGINE)
    )
    return OrderSummary(customers, until)


def divide(part: Floats, whole: Floats) -> Floats:
    """Quotients, (n,) float64; NaN where `whole` is 0."""
    quotients: Floats = np.full(len(part), np.nan)
    np.divide(part, whole, out=quotients, where=whole > 0)
    return quotients
