"""Hold-out evaluation of the customer value models, beside naive methods."""

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recommender.days import date_of
from recommender.publication.profile import STATES
from training.analytics.customer_value.bg_nbd import DAYS_A_WEEK, BgNbd, past_of
from training.analytics.customer_value.fitted_models import ValueModels, expected_order_values, fit_models
from training.analytics.customer_value.next_order import own_mean_gap_days, usual_gap_days
from training.analytics.customer_value.order_summary import Floats, OrderSummary, summarise
from training.analytics.customer_value.segments import lifecycle_states
from training.evaluation.offline_metrics import calibration_error, reliability

OURS = "reprise"
_BINS = 10
Predicted = dict[str, Floats]


def judge_holdout(order_days: pl.DataFrame, until: int, days: int) -> dict[str, Any] | None:
    """Errors of the models' predictions for the last `days` days, fitted on all days before.

    Judged are all customers known at the cut, also those who never came back. The naive methods:

        own_rate     the customer's repeat orders per day go on (an age below `days` counts as `days`), each worth the
                     customer's own mean order
        last_window  the customer does what the customer did in the `days` before the cut
        shop_mean    every customer does what the average customer did in these days

    Args:
        order_days: schema ORDER_DAYS.
        until: the last day of the window.
        days: its length, at least 1.

    Returns:
        None where the past is too little for a model. Else `days`, `from` (the first day held out), `customers`
        (known before), and:
        `orders`, `revenue` (None without prices): `observed` total, and by method `mae`, `rmse` per customer and
        `total`; `next_order`: of the customers who came back, by method the mean and median absolute error in days
        (a date before the window counts as its first day; the shop's mean gap stands in for a missing own one);
        `any_order`: calibration of the probability of an order, with the Brier score beside that of `last share`, the
        share of customers who had ordered in the days before; `by_lifecycle`: who came back, by state at the cut.
    """
    cut = until - days
    summary = summarise(order_days, cut)
    models = fit_models(summary)
    if not models.orders:
        return None
    before, later = (_count(summary, order_days, end, days) for end in (cut, until))
    return {
        "days": days,
        "from": date_of(cut + 1).isoformat(),
        "customers": len(summary.customers),
        "orders": _compare(_predict_orders(summary, models.orders, before, days), later["orders"]),
        "revenue": _judge_revenue(summary, models, before, later, days),
        "next_order": _judge_dates(summary, later["first_day"]),
        "any_order": _judge_any(summary, models.orders, before["orders"], later["orders"], days),
        "by_lifecycle": _judge_lifecycle(summary, later["orders"]),
    }


def _count(summary: OrderSummary, order_days: pl.DataFrame, end: int, days: int) -> Predicted:
    """`orders`, `revenue` (0 where none) and `first_day` (NaN where none) of each customer in `days` up to `end`."""
    window = order_days.filter(pl.col("day").is_between(end - days + 1, end)).rechunk()
    # in one piece and in order: the same sums to the last digit on any number of cores
    found = window.group_by("customer_id", maintain_order=True).agg(
        pl.len().cast(pl.Float64).alias("orders"),
        pl.col("value").sum().alias("revenue"),
        pl.col("day").min().cast(pl.Float64).alias("first_day"),
    )
    joined = summary.customers.select("customer_id").join(found, on="customer_id", how="left", maintain_order="left")
    joined = joined.with_columns(pl.col("orders", "revenue").fill_null(0.0))
    return {name: joined[name].to_numpy() for name in ("orders", "revenue", "first_day")}


def _predict_orders(summary: OrderSummary, model: BgNbd, before: Predicted, days: int) -> Predicted:
    own_rate = (summary.column("orders") - 1) / np.maximum(summary.age_days, days) * days
    return {
        OURS: model.expected_orders(past_of(summary), days / DAYS_A_WEEK),
        "own_rate": own_rate,
        "last_window": before["orders"],
        "shop_mean": np.full(len(own_rate), before["orders"].mean()),
    }


def _judge_revenue(
    summary: OrderSummary, models: ValueModels, before: Predicted, later: Predicted, days: int
) -> dict[str, Any] | None:
    if not (models.orders and models.values):
        return None
    orders = _predict_orders(summary, models.orders, before, days)
    own_mean = np.nan_to_num(summary.column("spent") / np.maximum(summary.column("priced_orders"), 1))
    predicted = {
        OURS: orders[OURS] * expected_order_values(models.values, summary),
        "own_rate": orders["own_rate"] * own_mean,
        "last_window": before["revenue"],
        "shop_mean": np.full(len(own_mean), before["revenue"].mean()),
    }
    return _compare(predicted, later["revenue"])


def _compare(predicted: Predicted, observed: Floats) -> dict[str, Any]:
    methods = {
        name: {
            "mae": float(np.abs(values - observed).mean()),
            "rmse": float(np.sqrt(((values - observed) ** 2).mean())),
            "total": float(values.sum()),
        }
        for name, values in predicted.items()
    }
    return {"observed": float(observed.sum()), "methods": methods}


def _judge_dates(summary: OrderSummary, next_day: Floats) -> dict[str, Any]:
    came = ~np.isnan(next_day)
    own = own_mean_gap_days(summary)
    gaps = {OURS: usual_gap_days(summary), "own_mean_gap": np.where(np.isnan(own), np.nanmean(own), own)}
    return {
        "customers": int(came.sum()),
        "methods": {name: _miss(summary, gap, next_day) for name, gap in gaps.items()},
    }


def _miss(summary: OrderSummary, gap_days: Floats, next_day: Floats) -> dict[str, float | None]:
    came = ~np.isnan(next_day)
    expected = np.maximum(summary.column("last_day") + gap_days, summary.until + 1)
    missed = np.abs(expected - next_day)[came]
    return {
        "mae_days": float(missed.mean()) if came.any() else None,
        "median_days": float(np.median(missed)) if came.any() else None,
    }


def _judge_any(summary: OrderSummary, model: BgNbd, before: Floats, later: Floats, days: int) -> dict[str, Any]:
    probability, came = model.probability_of_order(past_of(summary), days / DAYS_A_WEEK), later > 0
    bins = reliability(probability, came, _BINS)
    return {
        "error": calibration_error(bins),
        "mean_predicted": float(probability.mean()),
        "mean_observed": float(came.mean()),
        "brier": _brier(probability, came),
        "brier_of_last_share": _brier(np.full(len(came), (before > 0).mean()), came),
        "predicted": bins.predicted.tolist(),
        "observed": bins.observed.tolist(),
        "counts": bins.n.tolist(),
    }


def _brier(probability: Floats, came: NDArray[np.bool_]) -> float:
    return float(((probability - came) ** 2).mean())


def _judge_lifecycle(summary: OrderSummary, later: Floats) -> list[dict[str, Any]]:
    states = lifecycle_states(summary.column("orders"), summary.silent_days, usual_gap_days(summary))
    groups = [(state, later[states == state]) for state in STATES]
    return [
        {
            "name": state,
            "customers": len(orders),
            "came_back": float((orders > 0).mean()),
            "orders": float(orders.mean()),
        }
        for state, orders in groups
        if len(orders)
    ]
