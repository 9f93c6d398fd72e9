"""Customer profiles: one typed row a customer with value, churn, next order and segment."""

from itertools import pairwise

import numpy as np
import polars as pl

from recommender.publication.profile import SEGMENTS, STATES
from training.analytics.customer_value.bg_nbd import DAYS_A_WEEK, BgNbd, Past, past_of
from training.analytics.customer_value.fitted_models import ValueModels, expected_order_values
from training.analytics.customer_value.next_order import own_mean_gap_days, usual_gap_days
from training.analytics.customer_value.order_summary import Floats, OrderSummary, divide
from training.analytics.customer_value.segments import lifecycle_states, name_segments, quintile_scores

CHURN_DAYS = 365
DAYS_A_YEAR = 365.0
_STEP_DAYS = 30

PROFILES = pl.Schema(
    {
        "customer_id": pl.String(),
        "first_order_on": pl.Date(),
        "last_order_on": pl.Date(),
        "recency_days": pl.Int32(),
        "frequency": pl.Int32(),
        "monetary": pl.Float64(),
        "rfm_score": pl.String(),
        "rfm_segment": pl.Enum(SEGMENTS),
        "lifecycle": pl.Enum(STATES),
        "average_order_value": pl.Float64(),
        "average_days_between_orders": pl.Float64(),
        "usual_gap_days": pl.Float64(),
        "expected_date_of_next_order": pl.Date(),
        "probability_alive": pl.Float64(),
        "expected_orders_30d": pl.Float64(),
        "expected_orders_90d": pl.Float64(),
        "expected_orders_365d": pl.Float64(),
        "churn_probability": pl.Float64(),
        "historic_number_of_orders": pl.Int32(),
        "predicted_number_of_orders": pl.Float64(),
        "historic_clv": pl.Float64(),
        "predicted_clv": pl.Float64(),
        "total_clv": pl.Float64(),
    }
)
"""One row per customer, sorted by customer_id. Null: not known (no price, a single order) or no model.

recency_days: since the last order. frequency: orders so far, those of one day counted as one. monetary: spent so far.
rfm_score: three quintile scores of these, 1 to 5, such as `543`; rfm_segment: their name.
average_days_between_orders: of the own gaps; usual_gap_days: what is expected of the customer, who may have none.
expected_date_of_next_order: the last order plus the usual gap; a date that is past means overdue.
probability_alive, expected_orders_…: `training.analytics.customer_value.bg_nbd`.
churn_probability: of no order at all in the coming 365 days.
historic_…: so far, the same as frequency and monetary; predicted_…: over the horizon, the value discounted;
total_clv: both values. These names, and the averages, are Klaviyo's.
"""


def build_profiles(
    summary: OrderSummary, models: ValueModels, *, horizon_days: int, discount_rate: float
) -> pl.DataFrame:
    """The profiles of a summary's customers, schema PROFILES; no customers give no rows.

    Args:
        summary: what is known.
        models: fitted on it.
        horizon_days: of predicted_number_of_orders and predicted_clv, at least 1.
        discount_rate: a year, at least 0: 0.1 makes an order in a year worth 1 / 1.1 of one today.
    """
    gap, silent, orders = usual_gap_days(summary), summary.silent_days, summary.column("orders")
    spent = summary.column("spent")
    columns = {
        "recency_days": silent,
        "frequency": orders,
        "monetary": spent,
        "lifecycle": lifecycle_states(orders, silent, gap),
        "average_order_value": divide(spent, summary.column("priced_orders")),
        "average_days_between_orders": own_mean_gap_days(summary),
        "usual_gap_days": gap,
        "historic_number_of_orders": orders,
        "historic_clv": spent,
        **_segment(summary),
        **_predict(summary, models, horizon_days, discount_rate),
    }
    return _typed(summary, columns)


def discounted_orders(model: BgNbd, past: Past, *, horizon_days: int, discount_rate: float) -> Floats:
    """Expected orders in the horizon, each discounted to today from the middle of its step of at most 30 days.

    The sum Σ (E[Y(t_i)] - E[Y(t_{i-1})]) / (1 + rate)^(middle of the step in years) of Fader and Hardie.
    """
    edges = np.linspace(0, horizon_days, -(-horizon_days // _STEP_DAYS) + 1)
    total, before = np.zeros(len(past.age)), np.zeros(len(past.age))
    for start, end in pairwise(edges):
        expected = model.expected_orders(past, end / DAYS_A_WEEK)
        total += (expected - before) * (1 + discount_rate) ** (-(start + end) / 2 / DAYS_A_YEAR)
        before = expected
    return total


def _segment(summary: OrderSummary) -> dict[str, object]:
    recency = quintile_scores(-summary.silent_days)
    frequency, monetary = quintile_scores(summary.column("orders")), quintile_scores(summary.column("spent"))
    code = 100 * recency.astype(np.int32) + 10 * frequency + monetary
    return {"rfm_score": code.astype(np.str_), "rfm_segment": name_segments(recency, frequency)}


def _predict(summary: OrderSummary, models: ValueModels, horizon_days: int, discount_rate: float) -> dict[str, object]:
    """The columns that need a model; none of them where it is missing."""
    model = models.orders
    if not model:
        return {}
    past = past_of(summary)
    columns: dict[str, object] = {
        "probability_alive": model.probability_alive(past),
        "churn_probability": 1 - model.probability_of_order(past, CHURN_DAYS / DAYS_A_WEEK),
        "predicted_number_of_orders": model.expected_orders(past, horizon_days / DAYS_A_WEEK),
        **{f"expected_orders_{days}d": model.expected_orders(past, days / DAYS_A_WEEK) for days in (30, 90, 365)},
    }
    if models.values:
        orders = discounted_orders(model, past, horizon_days=horizon_days, discount_rate=discount_rate)
        clv = orders * expected_order_values(models.values, summary)
        columns |= {"predicted_clv": clv, "total_clv": clv + np.nan_to_num(summary.column("spent"))}
    return columns


def _typed(summary: OrderSummary, columns: dict[str, object]) -> pl.DataFrame:
    """Columns and dates with their types, in order; NaN becomes null, a column that is missing is null."""
    next_day = pl.col("last_day") + pl.col("usual_gap_days").round()
    frame = summary.customers.select("customer_id", "first_day", "last_day").hstack(pl.DataFrame(columns))
    frame = frame.with_columns(pl.col(pl.Float64).fill_nan(None)).with_columns(
        pl.col("first_day").cast(pl.Date).alias("first_order_on"),
        pl.col("last_day").cast(pl.Date).alias("last_order_on"),
        next_day.cast(pl.Int32).cast(pl.Date).alias("expected_date_of_next_order"),
    )
    missing = [pl.lit(None).alias(name) for name in PROFILES if name not in frame.columns]
    return frame.with_columns(missing).select(PROFILES.names()).cast(PROFILES)
