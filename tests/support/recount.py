"""A recount of campaigns from the whole archive at once, which what is counted in parts must equal."""

from collections.abc import Mapping
from datetime import date

import polars as pl

from recommender.results.campaigns import CampaignResults
from recommender.results.store import Decided
from training.analytics.counters.campaign_results import add_up_campaigns, choose_experiments, tally_campaigns


def campaign_results(
    events: pl.DataFrame,
    within_days: float,
    today: date,
    decided: Mapping[str, Decided] | None = None,
    *,
    orders_known: bool | None = None,
) -> list[CampaignResults]:
    """The results of each campaign; orders are known where there is a purchase among `events`, if nothing is said."""
    exposed = events.filter(pl.col("event_type") == "exposure")
    chosen = choose_experiments(exposed.select("campaign_id", "experiment").unique())
    if orders_known is None:
        orders_known = not events.filter(pl.col("event_type") == "purchase").is_empty()
    tallies = [tally_campaigns(events, within_days, chosen)]
    return add_up_campaigns(tallies, within_days, today, decided or {}, orders_known=orders_known)
