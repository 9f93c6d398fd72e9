"""Purchases that followed something that was shown, which it need not have caused."""

from collections.abc import Sequence
from datetime import timedelta

import polars as pl

SALE = ["customer_id", "product_id", "occurred_at", "units", "money", "currency"]


def sales_of(events: pl.DataFrame) -> pl.DataFrame:
    """The purchases among archived events: SALE and recommendation_id, by time; money is null without a price."""
    bought = events.filter(pl.col("event_type") == "purchase").sort("occurred_at", "event_id")
    return bought.with_columns(units="quantity", money=pl.col("quantity") * pl.col("unit_price")).select(
        *SALE, "recommendation_id"
    )


def followed(
    sales: pl.DataFrame, shown: pl.DataFrame, by: Sequence[str], within_days: float, *, sold_at: str = "occurred_at"
) -> pl.DataFrame:
    """Each sale with the last of `shown` before it, at most `within_days` before; sales without any are left out.

    Args:
        sales: `by`, `sold_at` and what else is wanted in the result.
        shown: `by`, shown_at and what else is wanted in the result.
        by: columns that both must agree in.
        within_days: above 0.
        sold_at: the column with the moment of a sale.
    """
    joined = sales.sort(sold_at).join_asof(
        shown.filter(pl.all_horizontal(pl.col(by).is_not_null())).sort("shown_at"),
        left_on=sold_at,
        right_on="shown_at",
        by=list(by),
        tolerance=timedelta(days=within_days),
        check_sortedness=False,  # both are sorted here; polars cannot check it within groups
        coalesce=False,
    )
    return joined.filter(pl.col("shown_at").is_not_null())


def sum_money(sales: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    """`by`, units, and money: a list of {currency, amount} by currency, of the sales that name a price."""
    # sorted before they are added: the same sales give the same sum
    ordered = sales.sort(*by, "currency", "occurred_at", "customer_id", "product_id", nulls_last=True)
    paid = ordered.filter(pl.col("money").is_not_null()).group_by(*by, "currency", maintain_order=True)
    amounts = paid.agg(amount=pl.col("money").sum().round(2)).group_by(by, maintain_order=True)
    money = amounts.agg(money=pl.struct("currency", "amount"))
    units = ordered.group_by(by, maintain_order=True).agg(pl.col("units").sum())
    return units.join(money, on=by, how="left", nulls_equal=True)
