"""Netting of refunds and cancellations against earlier purchases.

A row is a refund if its quantity or its price is negative, or its status says that it went back. One whose status says
so belongs to its order: it takes back that order's other lines of the product or, where there are none, it was the
purchase itself and is void. Any other, and one of an event log without order ids, takes back the customer's latest
earlier purchases of the product first. A negative price below GOODS_SHARE of what the product cost the customer gives
back money, as a discount does, and no goods.

A refund is netted whenever it happened: a ledger cut at a moment does not hold purchases that were returned later.
"""

from collections.abc import Collection
from dataclasses import dataclass

import polars as pl

NOTHING = 1e-9
"""Quantities below this are rounding: nothing is left."""
GOODS_SHARE = 0.5
WHOLE = "__whole_quantity__"
"""Quantity of a row before its refunded quantity is taken off."""
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
        by_price: refund rows that only a negative price tells.
        money_only: further rows with a negative price, which give back money and no goods.
    """

    purchases: pl.DataFrame
    lines: int
    units: float
    void_lines: int
    unmatched_lines: int
    unmatched_units: float
    purchases_gone: int
    by_price: int = 0
    money_only: int = 0


def is_back(statuses: Collection[str]) -> pl.Expr:
    """Whether `status` is one of those that say that a row went back."""
    if not statuses:
        return pl.lit(value=False)
    return pl.col("status").is_in(list(statuses)).fill_null(value=False)


def sign_refunds(rows: pl.DataFrame, statuses: Collection[str], *, of_events: bool = False) -> pl.DataFrame:
    """Rows with a quantity below 0 where they are refunds.

    Args:
        rows: order_id, quantity, WHOLE, unit_price (negative: it was paid back), status.
        statuses: those that say that a row went back.
        of_events: whether a row with such a status is a return, beside the purchase; else it is the purchase itself.

    Returns:
        The rows with of_order (see `net_refunds`), paid_back (what a negative price gave back for one; null where no
        price is negative or something else says that it is a refund) and unit_price null instead of negative.
    """
    went_back, quantity, price = is_back(statuses), pl.col("quantity"), pl.col("unit_price")
    by_price = ~went_back & (quantity > 0) & (price < 0)
    signed = pl.when(went_back).then(-pl.col(WHOLE).abs()).when(by_price).then(-quantity).otherwise(quantity)
    return rows.with_columns(
        signed.alias("quantity"),
        pl.when(price >= 0).then(price).alias("unit_price"),
        (went_back & (pl.col("order_id").is_not_null() | (not of_events))).alias("of_order"),
        pl.when(by_price).then(-price).alias("paid_back"),
    )


def net_refunds(rows: pl.DataFrame) -> Netted:
    """Purchases less the refunds that belong to them.

    Args:
        rows: customer_id, product_id, order_id, ordered_at, quantity (negative: refund), unit_price, of_order (Boolean:
            the refund belongs to the order it names), and where a source has it paid_back (see `sign_refunds`); other
            columns are kept.

    Without any refund the rows come back as they are. A refund dated before every purchase of the product is unmatched.
    """
    refund = pl.col("quantity") < 0
    refunds = rows.filter(refund)
    if refunds.is_empty():
        return Netted(rows, 0, 0.0, 0, 0, 0.0, 0)
    bought, n_negative = rows.filter(~refund), len(refunds)
    refunds = _of_goods(refunds, bought)
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
        by_price=_told_by_price(refunds),
        money_only=n_negative - len(refunds),
    )


def _told_by_price(refunds: pl.DataFrame) -> int:
    return refunds["paid_back"].count() if "paid_back" in refunds.columns else 0


def _of_goods(refunds: pl.DataFrame, bought: pl.DataFrame) -> pl.DataFrame:
    """`refunds` without those that gave back too little to be of goods."""
    if _told_by_price(refunds) == 0:
        return refunds
    pairs = refunds.filter(pl.col("paid_back").is_not_null()).select(_PAIR).unique()
    cost = bought.join(pairs, on=_PAIR, how="semi").group_by(_PAIR).agg(pl.col("unit_price").min().alias("cost"))
    enough = (pl.col("paid_back") >= GOODS_SHARE * pl.col("cost")).fill_null(value=True)
    return refunds.join(cost, on=_PAIR, how="left").filter(enough).drop("cost")


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
