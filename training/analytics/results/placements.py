"""Results of placements: what was seen, clicked, put into the cart and bought, by the rank at which it stood."""

import polars as pl

from training.analytics.results.purchases_after import followed, sales_of, sum_money

_SLOT = ["recommendation_id", "product_id"]
"""One product in one answer."""
_BANDS = ((3, "1-3"), (6, "4-6"), (12, "7-12"))
_CELL = ["placement", "ranks"]


def count_placements(events: pl.DataFrame, within_days: float) -> pl.DataFrame:
    """The results of each placement and band of ranks.

    A purchase belongs to the answer that it names by its recommendation_id; one that names none, to the last click of
    its customer on its product within `within_days`. It counts once, and nothing says that it would not have been made.

    Args:
        events: of the archive, schema `training.events.archive.EVENTS`.
        within_days: longest time from a click, or from what was first seen of the named answer, to the purchase.

    Returns:
        placement (null where no event says it), ranks; seen, clicked, carted, bought: products in answers; units;
        money: a list of {currency, amount}, null without a price. Sorted by placement, then rank.
    """
    slots = _slots(events)
    bought = _bought(slots, sales_of(events), within_days)
    slots = slots.join(bought.select(_SLOT).unique().with_columns(bought=True), on=_SLOT, how="left")
    figures = slots.group_by(_CELL).agg(
        pl.len().alias("seen"),
        pl.col("clicked_at").count().alias("clicked"),
        pl.col("carted").sum(),
        pl.col("bought").fill_null(value=False).sum(),
        first=pl.col("rank").min(),
    )
    money = sum_money(bought, _CELL)
    joined = figures.join(money, on=_CELL, how="left", nulls_equal=True)
    return joined.sort("placement", "first", nulls_last=True).drop("first").with_columns(pl.col("units").fill_null(0.0))


def _slots(events: pl.DataFrame) -> pl.DataFrame:
    """Each product of each answer that was seen or clicked, with who saw it, where and when."""
    named = events.filter(pl.all_horizontal(pl.col(_SLOT).is_not_null())).sort("occurred_at", "event_id")
    of_answers = named.filter(pl.col("event_type").is_in(["impression", "click"]))
    carts = named.filter(pl.col("event_type") == "add_to_cart").select(_SLOT).unique().with_columns(carted=True)
    slots = of_answers.group_by(_SLOT, maintain_order=True).agg(
        pl.col("customer_id", "placement").drop_nulls().first(),
        pl.col("rank").min(),
        seen_at=pl.col("occurred_at").min(),
        clicked_at=pl.col("occurred_at").filter(pl.col("event_type") == "click").max(),
    )
    band = pl.lit("13 on")
    for last, name in reversed(_BANDS):
        band = pl.when(pl.col("rank") <= last).then(pl.lit(name)).otherwise(band)
    ranks = pl.when(pl.col("rank").is_null()).then(pl.lit("unknown")).otherwise(band)
    return slots.join(carts, on=_SLOT, how="left").with_columns(pl.col("carted").fill_null(value=False), ranks=ranks)


def _bought(slots: pl.DataFrame, sales: pl.DataFrame, within_days: float) -> pl.DataFrame:
    """Sales with the slot that each belongs to."""
    wait = pl.col("occurred_at") - pl.col("seen_at")
    in_time = wait.is_between(pl.duration(), pl.duration(seconds=within_days * 86_400))
    numbered = sales.with_row_index("sale")
    named = numbered.join(slots.select(*_SLOT, *_CELL, "seen_at"), on=_SLOT).filter(in_time).drop("seen_at")
    others = numbered.join(named, on="sale", how="anti")
    clicked = slots.filter(pl.col("clicked_at").is_not_null())
    clicks = clicked.select(*_SLOT, *_CELL, "customer_id", shown_at="clicked_at")
    later = followed(others.drop("recommendation_id"), clicks, ["customer_id", "product_id"], within_days)
    return pl.concat([named, later.select(named.columns)])
