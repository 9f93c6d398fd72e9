"""Results of campaigns by variant, and what their mails caused: the documents that pages and commands show."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

import polars as pl

from recommender.experiments.experiment import HOLDOUT
from recommender.experiments.mail_holdout import QUARTER, end_of_quarter, name_of_holdout
from recommender.results.campaigns import MAILED, CampaignResults, VariantResults
from recommender.results.store import Decided
from training.analytics.counters.mail_effect import measure_effect
from training.analytics.results.campaigns import count_campaigns

Counted = dict[str, dict[str, dict[str, Any]]]
"""Campaign → variant → figures."""


class CampaignTally(NamedTuple):
    """What the events of some customers come to.

    Attributes:
        mails: what came of their mails.
        compared: orders of those who took part in something.
    """

    mails: Counted
    compared: Counted


_WHO = ["campaign_id", "customer_id"]
_OF_MAILS = ("sent", "bounced", "opened", "clicked", "unsubscribed", "complained", "bought")


def tally_campaigns(events: pl.DataFrame, within_days: float, chosen: pl.DataFrame) -> CampaignTally:
    """What the events of some customers, all of theirs, come to.

    Args:
        events: of the archive, schema `training.events.archive.EVENTS`.
        within_days: see `add_up_campaigns`.
        chosen: see `choose_experiments`.
    """
    exposures = _exposures(events, chosen)
    return CampaignTally(_count_mails(events, exposures, within_days), _compare(exposures, events, within_days))


def add_up_campaigns(
    tallies: Iterable[CampaignTally],
    within_days: float,
    today: date,
    decided: Mapping[str, Decided],
    *,
    orders_known: bool,
) -> list[CampaignResults]:
    """The results of each campaign, and of all mails of each quarter in which some are held out from all.

    Args:
        tallies: of all customers, a part at a time.
        within_days: longest time from taking part, from a mail or from a click in it, to an order that counts.
        today: UTC.
        decided: campaign → what it decided, as `ResultStore.decided` gives it.
        orders_known: whether anybody tells of purchases.

    Returns:
        The latest first; [] where there was no mail and nobody took part.
    """
    counted: Counted = {}
    compared: Counted = {}
    for one in tallies:
        _merge(counted, one.mails)
        _merge(compared, one.compared)
    results = []
    for campaign_id in sorted({*counted, *compared, *decided}):
        mails, sides = counted.get(campaign_id, {}), compared.get(campaign_id, {})
        chosen = decided.get(campaign_id, {})
        names = sorted({*mails, *sides, *chosen}, key=lambda name: (name == HOLDOUT, name))
        variants = tuple(
            _variant(name, chosen.get(name, {}), mails.get(name, {}), sides.get(name, {})) for name in names
        )
        moments = [
            row[at] for row in (*mails.values(), *sides.values()) for at in ("first_at", "last_at") if row.get(at)
        ]
        first, last = min(moments, default=None), max(moments, default=None)
        until = _until(campaign_id, last, within_days)
        effect = measure_effect(variants, until, today, orders_known=orders_known)
        results.append(CampaignResults(campaign_id, first and first.isoformat(), within_days, variants, effect))
    return sorted(results, key=lambda one: (one.first_at or "", one.campaign_id), reverse=True)


def _until(campaign_id: str, last: datetime | None, within_days: float) -> date | None:
    """The first day on which no more orders count."""
    if last is None:
        return None
    counts_until = max(last, end_of_quarter(campaign_id) or last) + timedelta(days=within_days)
    return counts_until.date() + timedelta(days=1)


def choose_experiments(named: pl.DataFrame) -> pl.DataFrame:
    """The experiment that splits each campaign: its own hold-out, else the first on it by name.

    Args:
        named: campaign_id and experiment of exposures, each pair once.

    Returns:
        The same columns, a row for each campaign.
    """
    own = pl.col("experiment") == pl.col("campaign_id").map_elements(name_of_holdout, pl.String)
    of_campaigns = named.filter(~pl.col("experiment").str.contains(QUARTER), pl.col("campaign_id").is_not_null())
    ordered = of_campaigns.sort("campaign_id", own, "experiment", descending=[False, True, False])
    return ordered.unique("campaign_id", keep="first", maintain_order=True).select("campaign_id", "experiment")


def _exposures(events: pl.DataFrame, chosen: pl.DataFrame) -> pl.DataFrame:
    """campaign_id, customer_id, variant, exposed_at: who took part in what, each once; of a quarter under its name."""
    exposed = events.filter(pl.col("event_type") == "exposure")
    of_campaigns = exposed.join(chosen, on=["campaign_id", "experiment"], how="semi")
    of_quarters = exposed.filter(pl.col("experiment").str.contains(QUARTER)).with_columns(campaign_id="experiment")
    both = pl.concat([of_campaigns, of_quarters]).sort("occurred_at", "event_id")
    return both.group_by(_WHO, maintain_order=True).agg(
        pl.col("variant").first(), exposed_at=pl.col("occurred_at").first()
    )


def _merge(into: Counted, part: Counted) -> None:
    for campaign_id, variants in part.items():
        for variant, row in variants.items():
            known = into.setdefault(campaign_id, {}).setdefault(variant, {})
            for name, value in row.items():
                known[name] = value if known.get(name) is None else _both(name, known[name], value)


def _both(name: str, one: Any, other: Any) -> Any:
    """A figure of two parts of the customers."""
    if other is None or isinstance(one, str):
        return one
    if isinstance(one, datetime):
        return min(one, other) if name == "first_at" else max(one, other)
    if isinstance(one, dict):
        return {key: round(one.get(key, 0.0) + other.get(key, 0.0), 2) for key in sorted(one.keys() | other.keys())}
    return one + other


def _count_mails(events: pl.DataFrame, exposures: pl.DataFrame, within_days: float) -> Counted:
    """Campaign → variant → what came of its mails."""
    named = events.join(exposures.select(*_WHO, arm="variant"), on=_WHO, how="left", maintain_order="left")
    split = pl.col("campaign_id") + "\0" + pl.col("arm").fill_null(MAILED)  # no id holds it
    counted: Counted = {}
    for row in count_campaigns(named.with_columns(campaign_id=split).drop("arm"), within_days).to_dicts():
        campaign_id, _, variant = row.pop("campaign_id").partition("\0")
        row |= {"first_at": row.pop("first_sent_at"), "money": to_money(row["money"])}
        counted.setdefault(campaign_id, {})[variant] = row
    return counted


def _compare(exposures: pl.DataFrame, events: pl.DataFrame, within_days: float) -> Counted:
    """Campaign → variant → orders of those who took part, within the days after they did; one campaign at a time."""
    orders = _orders(events)
    parts = exposures.partition_by("campaign_id", as_dict=True)
    return {str(name): _compare_one(str(name), part, orders, within_days) for (name,), part in parts.items()}


def _compare_one(
    name: str, exposures: pl.DataFrame, orders: pl.DataFrame, within_days: float
) -> dict[str, dict[str, Any]]:
    within = pl.duration(seconds=within_days * 86_400)
    last = pl.lit(end_of_quarter(name), exposures["exposed_at"].dtype).fill_null(pl.col("exposed_at")) + within
    later = exposures.join(orders, on="customer_id", how="left", maintain_order="left")
    in_time = pl.col("ordered_at").is_between(pl.col("exposed_at"), last).fill_null(value=False)
    people = later.group_by("customer_id", "variant").agg(
        orders=in_time.sum().cast(pl.Int64), exposed_at=pl.col("exposed_at").first()
    )
    sides = people.group_by("variant").agg(
        took_part=pl.len(),
        orders_squared=pl.col("orders").pow(2).sum(),
        ordered=(pl.col("orders") > 0).sum(),
        orders=pl.col("orders").sum(),
        first_at=pl.col("exposed_at").min(),
        last_at=pl.col("exposed_at").max(),
    )
    revenue = _revenue(later.filter(in_time))
    return {row["variant"]: row | {"revenue": revenue.get(row["variant"], {})} for row in sides.to_dicts()}


def _orders(events: pl.DataFrame) -> pl.DataFrame:
    """customer_id, ordered_at and paid (a list of {currency, amount}) of each order; without an id, of each day."""
    bought = events.filter(pl.col("event_type") == "purchase")
    name = pl.coalesce("order_id", pl.col("occurred_at").dt.date().cast(pl.String))
    paid = pl.struct("currency", amount=pl.col("quantity") * pl.col("unit_price"))
    return bought.group_by("customer_id", name.alias("order")).agg(ordered_at=pl.col("occurred_at").min(), paid=paid)


def _revenue(orders: pl.DataFrame) -> dict[str, dict[str, float]]:
    """Variant → currency → amount."""
    lines = orders.select("variant", "paid").explode("paid").unnest("paid").drop_nulls("amount")
    by = ["variant", pl.col("currency").fill_null("")]
    sums = lines.group_by(by).agg(pl.col("amount").sort().sum().round(2)).sort("variant", "currency")
    found: dict[str, dict[str, float]] = {}
    for variant, currency, amount in sums.iter_rows():
        found.setdefault(variant, {})[currency] = amount
    return found


def _variant(name: str, chosen: Mapping[str, int], mails: Mapping[str, Any], side: Mapping[str, Any]) -> VariantResults:
    refused = {reason: n for reason, n in sorted(chosen.items()) if reason != "selected"}
    of_mails = {one: mails.get(one, 0) for one in _OF_MAILS}
    of_side = {one: side[one] for one in ("took_part", "orders", "orders_squared", "ordered", "revenue") if one in side}
    paid = {"units": mails.get("units", 0.0), "money": mails.get("money", {})}
    return VariantResults(name, chosen.get("selected", 0), refused, **paid, **of_mails, **of_side)


def to_money(amounts: Iterable[Mapping[str, Any]] | None) -> dict[str, float]:
    """Currency → amount of a list of {currency, amount}; {} of None."""
    return {str(one["currency"] or ""): float(one["amount"]) for one in amounts or ()}
