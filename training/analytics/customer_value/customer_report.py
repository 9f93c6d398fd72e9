"""The customer report: value, churn and segment of every customer, and the retention of the shop, at one moment."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from recommender.cli.progress import Progress
from training.analytics.customer_value.cohorts import cohort_retention
from training.analytics.customer_value.customer_profiles import build_profiles
from training.analytics.customer_value.fitted_models import fit_models
from training.analytics.customer_value.holdout import OURS, judge_holdout
from training.analytics.customer_value.kpis import by_group, by_month, shop_kpis
from training.analytics.customer_value.order_summary import build_order_days, last_day_before, summarise

_FAR_OFF = 0.15


@dataclass(frozen=True)
class Terms:
    """Parameters of the customer report: horizon, discount rate and window.

    Attributes:
        horizon_days: of predicted_number_of_orders and predicted_clv.
        discount_rate: of predicted_clv, a year.
        window_days: the last days, held out to judge the models; also the silence that counts as churn.
    """

    horizon_days: int = 365
    discount_rate: float = 0.1
    window_days: int = 90


@dataclass(frozen=True)
class CustomerReport:
    """The document and the customers of `reprise customers`.

    Attributes:
        profiles: schema `training.analytics.customer_value.customer_profiles.PROFILES`.
        document: everything on the shop, plain JSON.
    """

    profiles: pl.DataFrame
    document: dict[str, Any]


def report_customers(ledger: pl.DataFrame, as_of: datetime, terms: Terms, progress: Progress) -> CustomerReport:
    """The customer report on the purchases before `as_of`, an aware datetime.

    An empty ledger gives no profiles, and counts of 0.
    """
    until = last_day_before(as_of)
    with progress.step("Sum up orders"):
        order_days = build_order_days(ledger.filter(pl.col("ordered_at") < as_of))
        summary = summarise(order_days, until)
    with progress.step("Fit customer value"):
        models = fit_models(summary)
        profiles = build_profiles(summary, models, horizon_days=terms.horizon_days, discount_rate=terms.discount_rate)
    with progress.step("Judge on a hold-out"):
        holdout = judge_holdout(order_days, until, terms.window_days)
    with progress.step("Describe the shop"):
        notes = models.notes()
        notes += _notes_of_holdout(holdout, terms.window_days)
        document = {
            "as_of": as_of.isoformat(),
            **vars(terms),
            "models": models.to_dict(),
            "kpis": shop_kpis(order_days, profiles, until, terms.window_days),
            "by_segment": by_group(profiles, "rfm_segment"),
            "by_lifecycle": by_group(profiles, "lifecycle"),
            "by_month": by_month(order_days, until, terms.window_days),
            "cohorts": cohort_retention(order_days, until),
            "holdout": holdout,
            "notes": notes,
        }
    return CustomerReport(profiles, document)


def _notes_of_holdout(holdout: dict[str, Any] | None, window_days: int) -> list[str]:
    """Why there is none, or where the models are far off."""
    if not holdout:
        return [f"holdout: too few came back before the last {window_days} days to judge the models"]
    predicted, observed = holdout["orders"]["methods"][OURS]["total"], holdout["orders"]["observed"]
    if abs(predicted - observed) <= _FAR_OFF * observed:
        return []
    note = (
        f"holdout: {predicted:,.0f} orders were predicted and {observed:,.0f} came; the models know no season and no "
        f"growth, so read the figures as an order of customers rather than as a forecast of the shop"
    )
    return [note]
