"""Lifecycle flow: how many customers went from which state to which within the last days."""

from typing import Any

import numpy as np
import polars as pl

from recommender.days import date_of
from recommender.publication.profile import STATES
from training.analytics.customer_value.next_order import usual_gap_days
from training.analytics.customer_value.order_summary import OrderSummary, summarise
from training.analytics.customer_value.segments import lifecycle_states

NOT_YET = "not_yet"
"""Of somebody who had not ordered."""


def lifecycle_flow(order_days: pl.DataFrame, until: int, days: int) -> dict[str, Any]:
    """The flow from `days` days ago to the day `until`.

    Args:
        order_days: schema ORDER_DAYS.
        until: the last day known.
        days: length of the window.

    Returns:
        `days`, `since` (ISO date), `from` and `to` (names of states), and `counts`: a row for each `from` with the
        customers in each `to`. Nobody: rows of 0.
    """
    then, now = (_states(summarise(order_days, day)) for day in (until - days, until))
    both = now.join(then, on="customer_id", how="left", suffix="_then")
    counted = both.group_by(pl.col("state_then").fill_null(NOT_YET), "state").len()
    found = {(before, after): n for before, after, n in counted.iter_rows()}
    starts = [NOT_YET, *STATES]
    return {
        "days": days,
        "since": date_of(until - days).isoformat(),
        "from": starts,
        "to": list(STATES),
        "counts": [[found.get((before, after), 0) for after in STATES] for before in starts],
    }


def _states(summary: OrderSummary) -> pl.DataFrame:
    states = lifecycle_states(summary.column("orders"), summary.silent_days, usual_gap_days(summary))
    names = summary.customers["customer_id"].cast(pl.String)
    return pl.DataFrame({"customer_id": names, "state": np.asarray(states, dtype=np.str_)})
