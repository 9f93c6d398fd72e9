"""Profiles for tests."""

import math
from dataclasses import asdict, astuple, replace
from typing import Any

import numpy as np

from recommender.publication.profile import Profile
from recommender.publication.profile_blocks import PROFILE, ProfileTable

_REGULAR = Profile(
    customer_id="",
    first_day=20_000,
    last_day=20_300,
    orders=11,
    spent=110.0,
    average_order_value=10.0,
    average_days_between_orders=30.0,
    usual_gap_days=30.0,
    probability_alive=0.5,
    churn_probability=0.25,
    expected_orders_30d=0.5,
    expected_orders_90d=1.5,
    expected_orders_365d=6.0,
    predicted_number_of_orders=6.0,
    predicted_clv=55.5,
    rfm_recency=5,
    rfm_frequency=4,
    rfm_monetary=3,
)


def make_profile(customer_id: str, **fields: Any) -> Profile:
    """Somebody who ordered every 30 days, 11 times, the last time on day 20,300; every number fits its float."""
    return replace(_REGULAR, customer_id=customer_id, **fields)


def make_newcomer(customer_id: str, **fields: Any) -> Profile:
    """Somebody who ordered once in a shop that nobody comes back to, without a price: every float is NaN."""
    unknown = {name: math.nan for name, value in asdict(_REGULAR).items() if isinstance(value, float)}
    return replace(make_profile(customer_id), **unknown | {"orders": 1, "first_day": 20_300} | fields)


def make_table(*profiles: Profile) -> ProfileTable:
    """These customers, in this order."""
    records = np.array([astuple(profile)[1:] for profile in profiles], PROFILE)
    return ProfileTable([profile.customer_id for profile in profiles], records)


def same(one: Profile | None, other: Profile | None) -> bool:
    """Whether two profiles agree in everything, NaN included."""
    return one is not None and other is not None and repr(one) == repr(other)
