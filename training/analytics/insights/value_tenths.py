"""Customer value in tenths: what each tenth has spent and is expected to spend, and how such a forecast came out."""

from typing import Any

import numpy as np
import polars as pl

from recommender.days import date_of
from recommender.publication.profile_blocks import ProfileTable
from training.analytics.customer_value.bg_nbd import DAYS_A_WEEK, past_of
from training.analytics.customer_value.fitted_models import expected_order_values, fit_models
from training.analytics.customer_value.order_summary import Floats, summarise

TENTHS = 10
MOST_JUDGED = 20_000
"""Customers by whom the forecast is judged; of more, every so many-th by name."""


def value_now(profiles: ProfileTable) -> list[list[Any]]:
    """One row a tenth of the customers by predicted value, the best first: customers, spent so far, predicted value.

    [] where nothing is predicted.
    """
    records = profiles.records
    predicted = records["predicted_clv"].astype(np.float64)
    if not np.isfinite(predicted).any():
        return []
    spent = np.nan_to_num(records["spent"].astype(np.float64))
    return [
        [len(part), round(float(spent[part].sum()), 2), round(float(np.nansum(predicted[part])), 2)]
        for part in _tenths(predicted)
    ]


def value_then(order_days: pl.DataFrame, until: int, days: int) -> dict[str, Any] | None:
    """The forecast for the last `days` days, made from what was known before them, beside what came.

    Args:
        order_days: schema ORDER_DAYS.
        until: the last day known.
        days: length of the window.

    Returns:
        `days`, `from` (the first of them), and `tenths`: a row each, the best forecast first: customers, orders
        expected and come, money expected and come (None without prices). None where the past is too little.
    """
    names = order_days.filter(pl.col("day") <= until - days)["customer_id"].unique().sort()
    if len(names) > MOST_JUDGED:
        order_days = order_days.filter(
            pl.col("customer_id").is_in(names.gather_every(-(-len(names) // MOST_JUDGED)).implode())
        )
    summary = summarise(order_days, until - days)
    models = fit_models(summary)
    if not models.orders:
        return None
    orders = models.orders.expected_orders(past_of(summary), days / DAYS_A_WEEK)
    money = orders * expected_order_values(models.values, summary) if models.values else None
    came = _came(summary.customers, order_days, until - days + 1, until)
    tenths = [
        [
            len(part),
            round(float(orders[part].sum()), 1),
            int(came["orders"][part].sum()),
            None if money is None else round(float(money[part].sum()), 2),
            None if money is None else round(float(came["money"][part].sum()), 2),
        ]
        for part in _tenths(orders if money is None else money)
    ]
    return {"days": days, "from": date_of(until - days + 1).isoformat(), "tenths": tenths}


def _came(customers: pl.DataFrame, order_days: pl.DataFrame, first: int, last: int) -> dict[str, Floats]:
    window = order_days.filter(pl.col("day").is_between(first, last)).rechunk()
    found = window.group_by("customer_id", maintain_order=True).agg(
        pl.len().cast(pl.Float64).alias("orders"), pl.col("value").sum().alias("money")
    )
    found = found.cast({"customer_id": pl.String})
    joined = customers.select("customer_id").join(found, on="customer_id", how="left", maintain_order="left")
    return {name: joined[name].fill_null(0.0).to_numpy() for name in ("orders", "money")}


def _tenths(values: Floats) -> list[Any]:
    """Positions of each tenth, the largest values first, NaN last; fewer than ten where there are fewer customers."""
    order = np.argsort(-np.nan_to_num(values, nan=-np.inf), kind="stable")
    return [part for part in np.array_split(order, TENTHS) if len(part)]
