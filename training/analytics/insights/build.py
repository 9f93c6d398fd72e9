"""The insights of a version, from its model and the purchases it learned from."""

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl

from recommender.days import date_of, day_of
from recommender.publication.insights import MOST_COHORTS, Insights
from recommender.publication.product import Product
from recommender.publication.profile import SEGMENTS, STATES
from recommender.publication.profile_blocks import ProfileTable
from training.analytics.customer_value.cohorts import cohort_retention
from training.analytics.customer_value.customer_report import Terms
from training.analytics.customer_value.describe import CustomerDescriptions
from training.analytics.customer_value.kpis import by_group, by_month, shop_kpis
from training.analytics.customer_value.order_summary import last_day_before
from training.analytics.customer_value.segments import lifecycle_states, name_segments
from training.analytics.insights.due_board import build_due_board
from training.analytics.insights.first_orders import first_order_rows
from training.analytics.insights.lifecycle_flow import lifecycle_flow
from training.analytics.insights.repurchase import repurchase_rows
from training.analytics.insights.value_tenths import value_now, value_then
from training.ranking.model import Model

_FIELDS = {
    "monetary": "spent",
    "average_order_value": "average_order_value",
    "average_days_between_orders": "average_days_between_orders",
    "churn_probability": "churn_probability",
    "predicted_number_of_orders": "predicted_number_of_orders",
    "predicted_clv": "predicted_clv",
}
"""Column of PROFILES → field of a published profile."""


def build_insights(as_of: datetime, model: Model, description: CustomerDescriptions) -> Insights:
    """The insights at `as_of`, an aware datetime.

    Their document: `as_of`, `window_days` (of churn, flow and forecast), `horizon_days` (of predicted value),
    `currency` (the one of all products that name one; None where it is none, or several), `kpis`
    and `by_segment`, `by_lifecycle` (`training.analytics.customer_value.kpis`), `by_month` and `cohorts` of the latest
    MOST_COHORTS months, `firsts` (`first_order_rows`), `value` with `now` and `then` (`value_now`, `value_then`),
    `flow` (`lifecycle_flow`), `repurchase` with `of`, the number of products, and `rows` (`repurchase_rows`), and `due`
    (`DueBoard.document`, with the day `from` which it counts).

    An empty past gives empty tables.
    """
    terms, until, today = Terms(), last_day_before(as_of), day_of(as_of.timestamp())
    order_days = description.order_days
    board = build_due_board(model.tables["buy_again"], model.products, today)
    customers = profile_frame(description.profiles, until)
    document: dict[str, Any] = {
        "as_of": as_of.isoformat(),
        "window_days": terms.window_days,
        "horizon_days": terms.horizon_days,
        "currency": _currency(model.products),
        "kpis": shop_kpis(order_days, customers, until, terms.window_days),
        "by_segment": by_group(customers, "rfm_segment"),
        "by_lifecycle": by_group(customers, "lifecycle"),
        "by_month": by_month(order_days, until, terms.window_days)[-MOST_COHORTS:],
        "cohorts": _latest(cohort_retention(order_days, until)),
        "firsts": first_order_rows(model.snapshot, model.products, until),
        "value": {
            "now": value_now(description.profiles),
            "then": value_then(order_days, until, terms.window_days),
        },
        "flow": lifecycle_flow(order_days, until, terms.window_days),
        "repurchase": {
            "of": len(model.snapshot.products),
            "rows": repurchase_rows(model.snapshot, board.by_product),
        },
        "due": board.document | {"from": date_of(today).isoformat()},
    }
    return Insights(_plain(document), board.lines)


def profile_frame(profiles: ProfileTable, until: int) -> pl.DataFrame:
    """The columns of PROFILES by which a shop is described, of published profiles at the end of the day `until`."""
    records = profiles.records
    orders, silent = (
        values.astype(np.float64) for values in (records["orders"], until - records["last_day"].astype(int))
    )
    scores = (records[f"rfm_{name}"] for name in ("recency", "frequency"))
    states = lifecycle_states(orders, silent, records["usual_gap_days"].astype(np.float64))
    columns = {name: records[field].astype(np.float64) for name, field in _FIELDS.items()}
    return pl.DataFrame(
        {
            **{name: pl.Series(values).fill_nan(None) for name, values in columns.items()},
            "frequency": orders,
            "recency_days": silent,
            "rfm_segment": pl.Series(name_segments(*scores), dtype=pl.Enum(SEGMENTS)),
            "lifecycle": pl.Series(states, dtype=pl.Enum(STATES)),
        }
    )


def _currency(products: Sequence[Product]) -> str | None:
    named = {one.currency for one in products if one.currency is not None}
    return named.pop() if len(named) == 1 else None


def _latest(cohorts: dict[str, Any]) -> dict[str, Any]:
    return {name: values[-MOST_COHORTS:] for name, values in cohorts.items()}


def _plain(value: Any) -> Any:
    """The same with what is no finite number as None, and numbers to six digits: nobody reads more."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value
