"""Netting of refunds and cancellations against earlier purchases.

A row is a refund if its quantity is negative. One whose status says so, in a file with order ids, belongs to its order:
it takes back that order's other lines of the product or, where there are none, it was the purchase itself and is void.
Any other takes back the customer's latest earlier purchases of the product first.

A refund is netted whenever it happened: a ledger cut at a moment does not hold purchases that were returned later.
"""

from dataclasses import dataclass

import polars as pl

NOTHING = 1e-9
"""Quantities below this are rounding: nothing is left."""
_PAIR = ("customer_id", "product_id")
_ORDER = (*_PAIR, "order_id")


@dataclass(frozen=True)
class Netted:
    """Netted purchases, with counts for the report.

    Attributes:
        purchases: the rows that are left, quantity above 0, in no particular order.
        lines: refund rows.
        units: their quantity.
        void_lines: refund rows that were the purchase themselves.
        unmatched_lines: other refund rows that found less than their quantity bought before.
        unmatched_units: the quantity that was not found.
        purchases_gone: purchases taken back as a whole.
    """

    purchases: pl.DataFrame
    lines: int
    units: float
    void_lines: int
    unmatched_lines: int
    unmatched_units: float
    purchases_gone: int


def net_refunds(rows: pl.DataFrame) -> Netted:
    """Purchases less the refunds that belong to them.

    Args:
        rows: customer_id, product_id, order_id, ordered_at, quantity (negative: refund), of_order (Boolean: the refund
            belongs to the order it names); other columns are kept.

    Without any refund the rows come back as they are. A refund dated before every purchase of the product is unmatched.
    """
    refund = pl.col("quantity") < 0
    refunds = rows.filter(refund)
    if refunds.is_empty():
        return Netted(rows, 0, 0.0, 0, 0, 0.0, 0)
    bought = rows.filter(~refund)
    left, void = _take_off(bought, refunds.filter("of_order"), _ORDER)
    left, unmatched = _take_off(left, refunds.filter(~pl.col("of_order")), _PAIR)
    return Netted(
        purchases=left,
        lines=len(refunds),
        units=-float(refunds["quantity"].sum()),
        void_lines=len(void),
        unmatched_lines=len(unmatched),
        unmatched_units=float(unmatched.sum()),
        purchases_gone=len(bought) - len(left),
    )


def _take_off(bought: pl.DataFrame, refunds: pl.DataFrame, keys: tuple[str, ...]) -> tuple[pl.DataFrame, pl.Series]:
    """What is left of `bought`, and the quantities of refunds that found nothing.

    Each refund takes from the top of a stack of the purchases before it. The stack's height is the running sum of
    quantities, held at 0 from below; a purchase keeps what the lowest height after it leaves of its own layer.
    """
    if refunds.is_empty():
        return bought, pl.Series("unmatched", [], pl.Float64)
    names = refunds.select(keys).unique()
    stack = (
        pl.concat([bought.join(names, on=keys, how="semi"), refunds])
        # at the same moment the purchase comes first, and everything else has a fixed order
        .sort(*keys, "ordered_at", pl.col("quantity") < 0, "order_id", "quantity")
        .with_columns(pl.col("quantity").cum_sum().over(keys).alias("sum"))
        .with_columns((pl.col("sum") - pl.min_horizontal(pl.col("sum").cum_min().over(keys), 0.0)).alias("height"))
        .with_columns(
            pl.col("height").shift(1, fill_value=0.0).over(keys).alias("below"),
            pl.col("height").cum_min(reverse=True).over(keys).alias("lowest"),
        )
    )
    kept = pl.max_horizontal(pl.col("lowest") - pl.col("below"), 0.0).alias("quantity")
    touched = stack.filter(pl.col("quantity") > 0).with_columns(kept).select(bought.columns)
    unmatched = stack.filter(pl.col("quantity") < 0).select(
        (-pl.col("quantity") - pl.col("below") + pl.col("height")).alias("unmatched")
    )["unmatched"]
    left = pl.concat([bought.join(names, on=keys, how="anti"), touched.filter(pl.col("quantity") > NOTHING)])
    return left, unmatched.filter(unmatched > NOTHING)
