"""Published customer profiles: the figures of `reprise customers` for every customer of a version."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl

from recommender.publication.profile_blocks import PROFILE, ProfileTable
from training.analytics.customer_value.customer_profiles import build_profiles
from training.analytics.customer_value.customer_report import Terms
from training.analytics.customer_value.fitted_models import fit_models
from training.analytics.customer_value.order_summary import build_order_days, last_day_before, summarise

_COLUMNS = {"first_day": "first_order_on", "last_day": "last_order_on", "orders": "frequency", "spent": "monetary"}
"""Fields of a profile that `training.analytics.customer_value.customer_profiles.PROFILES` calls by another name."""


@dataclass(frozen=True)
class CustomerDescriptions:
    """The profiles of all customers, with the models they are predicted by.

    Attributes:
        order_days: that they are told from, schema ORDER_DAYS; ids are coded where those of the ledger were.
        profiles: of every customer in the ledger.
        document: for the manifest, plain JSON: `models` and `notes` as in `reprise customers`, `horizon_days`
            and `discount_rate` of predicted_clv, and `bytes_per_customer`, None without customers: what a profile
            takes in Redis and on the disk.
    """

    order_days: pl.DataFrame
    profiles: ProfileTable
    document: dict[str, Any]


def describe_customers(ledger: pl.DataFrame, as_of: datetime) -> CustomerDescriptions:
    """Profiles of all customers with a purchase before `as_of`, an aware datetime, by models fitted on these purchases.

    Predictions are NaN where too few customers came back to fit a model; an empty ledger gives no profiles.
    """
    terms, known = Terms(), ledger.filter(pl.col("ordered_at") < as_of)
    order_days = build_order_days(known)
    summary = summarise(order_days, last_day_before(as_of))
    models = fit_models(summary)
    table = to_table(
        build_profiles(summary, models, horizon_days=terms.horizon_days, discount_rate=terms.discount_rate)
    )
    document = {
        "models": models.to_dict(),
        "notes": models.notes(),
        "horizon_days": terms.horizon_days,
        "discount_rate": terms.discount_rate,
        "bytes_per_customer": round(table.n_bytes / len(table), 1) if len(table) else None,
    }
    return CustomerDescriptions(order_days, table, document)


def to_table(customers: pl.DataFrame) -> ProfileTable:
    """The published table of rows of schema PROFILES: null becomes NaN, values are clipped to their type's range."""
    scores = customers["rfm_score"].cast(pl.Int32).to_numpy()
    rfm = {"rfm_recency": scores // 100, "rfm_frequency": scores // 10 % 10, "rfm_monetary": scores % 10}
    records = np.zeros(len(customers), PROFILE)
    for name in PROFILE.names or ():
        values = rfm[name] if name in rfm else customers[_COLUMNS.get(name, name)].to_physical().to_numpy()
        kind = PROFILE[name]
        ends = np.finfo(kind) if kind.kind == "f" else np.iinfo(kind)
        records[name] = np.clip(values, ends.min, ends.max)
    return ProfileTable(customers["customer_id"].to_list(), records)
