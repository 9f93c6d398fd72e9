"""Results of placements: what was seen, clicked, put into the cart and bought, by day and by what was shown where."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import polars as pl

from recommender.results.placements import RANKS
from training.analytics.results.purchases_after import followed, sales_of, sum_money

_SLOT = ["recommendation_id", "product_id"]
"""One product in one answer."""
_LAST_RANKS = (3, 6, 12)
"""Of the bands in RANKS that end."""
_CELL = ["placement", "kind", "reason", "ranks"]
_BOUGHT = ["day", "customer_id", *_SLOT, *_CELL, "occurred_at", "units", "money", "currency"]
_COUNTS = ["seen", "clicked", "carted", "bought", "units"]
SHOWN = ("impression", "click")
COUNTED = (*SHOWN, "add_to_cart", "purchase")
"""Types of events that results of placements are counted from."""


def count_placements(events: pl.DataFrame, within_days: float) -> pl.DataFrame:
    """The results of each placement and band of ranks: the days of `count_days` added up.

    Returns:
        placement (null where no event says it), ranks, and the figures of `count_days`. Sorted by placement, then rank.
    """
    days = count_days(events, within_days)
    by = ["placement", "ranks"]
    figures = days.group_by(by).agg(pl.col(_COUNTS).sum())
    money = _add_money(days, by)
    order = pl.col("ranks").cast(pl.Enum(RANKS))
    return figures.join(money, on=by, how="left", nulls_equal=True).sort("placement", order, nulls_last=True)


class Tally(NamedTuple):
    """What a part of a shop's events comes to: an answer's events are all in one part.

    Attributes:
        figures: day, placement, kind, reason, ranks; seen, clicked and carted products in answers.
        bought: sales that name an answer in which the product was seen in time.
        sales: the others.
        clicks: on products in answers, to which the latter may belong.
    """

    figures: pl.DataFrame
    bought: pl.DataFrame
    sales: pl.DataFrame
    clicks: pl.DataFrame


def count_days(events: pl.DataFrame, within_days: float, day: date | None = None) -> pl.DataFrame:
    """The results of each UTC day on which something was seen, clicked, put into the cart or bought.

    A product in an answer counts once a day for each of these. What is put into the cart belongs to the answer that it
    names, and so does a purchase; one that names none, or one that nobody saw in time, to the last click of its
    customer on its product. Nothing says that it would not have been bought.

    Args:
        events: of the archive, schema `training.events.archive.EVENTS`; other types than COUNTED are not looked at.
        within_days: longest time from when it was last seen or clicked to the cart or the purchase.
        day: only this one; `events` then hold it whole, and what was seen and clicked `within_days` before it.

    Returns:
        day, placement, kind and reason (null where no event says it), ranks; seen, clicked, carted, bought: products in
        answers; units; money: a list of {currency, amount}, null without a price. Sorted by these columns.
    """
    return add_up([tally(events, within_days, day)], within_days)


def tally(events: pl.DataFrame, within_days: float, day: date | None = None) -> Tally:
    """What `count_days` adds up, of its arguments or of a part of `events`."""
    events = events.with_columns(day=pl.col("occurred_at").dt.date())
    of_day = events if day is None else events.filter(pl.col("day") == day)
    sightings = _sightings(events)
    shown = sightings if day is None else sightings.filter(pl.col("day") == day)
    once = shown.unique([*_SLOT, "day"], keep="first", maintain_order=True)
    seen = once.group_by("day", *_CELL).agg(seen=pl.len(), clicked=pl.col("clicked").sum())
    carted = _carted(sightings, of_day, within_days).group_by("day", *_CELL).agg(carted=pl.len())
    named, others = _named(sightings, sales_of(of_day), within_days)
    clicks = sightings.filter("is_click").select(*_SLOT, *_CELL, "customer_id", "shown_at", "event_id")
    return Tally(pl.concat([seen, carted], how="diagonal"), named, others, clicks)


def add_up(tallies: Sequence[Tally], within_days: float) -> pl.DataFrame:
    """The figures of `count_days` from the tallies of all parts, at least one."""
    sales, clicks = (pl.concat([getattr(one, name) for one in tallies]) for name in ("sales", "clicks"))
    later = followed(sales, clicks.sort("shown_at", "event_id"), ["customer_id", "product_id"], within_days)
    bought = pl.concat([*(one.bought for one in tallies), later.select(_BOUGHT)]).sort(_BOUGHT, nulls_last=True)
    once = bought.unique([*_SLOT, "day"], keep="first", maintain_order=True)
    parts = [
        *(one.figures for one in tallies),
        once.select("day", *_CELL, bought=pl.lit(1)),
        bought.select("day", *_CELL, "units"),
    ]
    by = ["day", *_CELL]
    empty = pl.DataFrame(schema=dict.fromkeys(_COUNTS[:-1], pl.UInt32) | {"units": pl.Float64})
    counted = pl.concat([*parts, empty], how="diagonal_relaxed").with_columns(pl.col(_COUNTS).fill_null(0))
    figures = counted.group_by(by).agg(pl.col(_COUNTS[:-1]).sum().cast(pl.Int64), pl.col("units").sort().sum())
    joined = figures.join(sum_money(bought, by).drop("units"), on=by, how="left", nulls_equal=True)
    return joined.sort(by, nulls_last=True)


def _sightings(events: pl.DataFrame) -> pl.DataFrame:
    """Impressions and clicks of products in answers by time, each with what its day says of the product there."""
    shown = events.filter(pl.all_horizontal(pl.col(_SLOT).is_not_null()), pl.col("event_type").is_in(SHOWN))
    shown = shown.sort("occurred_at", "event_id")
    is_click = pl.col("event_type") == "click"
    slots = shown.group_by(*_SLOT, "day").agg(
        pl.col("customer_id", "placement", "kind", "reason").drop_nulls().first(),
        pl.col("rank").min(),
        clicked=is_click.any(),
    )
    band = pl.lit(RANKS[len(_LAST_RANKS)])
    for last, name in reversed(list(zip(_LAST_RANKS, RANKS, strict=False))):
        band = pl.when(pl.col("rank") <= last).then(pl.lit(name)).otherwise(band)
    slots = slots.with_columns(ranks=pl.when(pl.col("rank").is_null()).then(pl.lit(RANKS[-1])).otherwise(band))
    times = shown.select(*_SLOT, "day", "event_id", is_click.alias("is_click"), shown_at="occurred_at")
    return times.join(slots, on=[*_SLOT, "day"], how="left", maintain_order="left")


def _carted(sightings: pl.DataFrame, events: pl.DataFrame, within_days: float) -> pl.DataFrame:
    """Products in answers that were put into the cart, each once a day."""
    named = pl.all_horizontal(pl.col(_SLOT).is_not_null())
    carts = events.filter(pl.col("event_type") == "add_to_cart", named).select(*_SLOT, "day", "occurred_at")
    shown = sightings.select(*_SLOT, *_CELL, "shown_at")
    return followed(carts, shown, _SLOT, within_days).unique([*_SLOT, "day"], keep="first", maintain_order=True)


def _named(sightings: pl.DataFrame, sales: pl.DataFrame, within_days: float) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Sales that belong to the answer that they name, and the others."""
    numbered = sales.with_row_index("sale").with_columns(day=pl.col("occurred_at").dt.date())
    shown = sightings.select(*_SLOT, *_CELL, "shown_at")
    named = followed(numbered.filter(pl.col("recommendation_id").is_not_null()), shown, _SLOT, within_days)
    others = numbered.join(named, on="sale", how="anti").drop("recommendation_id", "sale")
    return named.select(_BOUGHT), others


def _add_money(days: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    """`by` and money, added up over days."""
    paid = days.select(*by, "money").explode("money").drop_nulls("money").unnest("money")
    amounts = paid.sort("currency", "amount").group_by(*by, "currency", maintain_order=True).agg(pl.col("amount").sum())
    amounts = amounts.with_columns(pl.col("amount").round(2))
    return amounts.group_by(by, maintain_order=True).agg(money=pl.struct("currency", "amount"))
