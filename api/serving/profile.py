"""One customer's profile: what the version says, brought up to the moment with the orders that came since.

Two round trips to Redis: the customer's list with the live events, then the profile of the same version.
"""

import math
from typing import Any

from api.schemas.requests import BuyAgainQuery
from api.serving.slates import SlateBuilder
from recommender.days import date_of, day_of, to_iso
from recommender.errors import StoreUnavailableError, UnknownCustomerError
from recommender.publication.manifest import version_as_of
from recommender.publication.profile import UNKNOWN_SEGMENT, Profile
from recommender.slate.customer_view import Identity
from recommender.slate.item_json import Presentation, to_item
from recommender.slate.plans import personal_plan
from recommender.slate.slate import Item
from recommender.storage.versions import VersionStore

MOST_DUE = 10
"""Products in `due`."""


def describe(builder: SlateBuilder, store: VersionStore, customer_id: str) -> dict[str, Any] | None:
    """A customer's profile as plain JSON types; None before any version.

    Raises:
        UnknownCustomerError: the version that answers does not know the customer.
        StoreUnavailableError: Redis does not answer. There is no last copy: half a profile would look like a whole one.
        UnknownPlacementError: placement `home` is not configured.
    """
    wanted, plan = BuyAgainQuery(limit=MOST_DUE, exclude=[], category=[]), personal_plan(customer_id, "buy_again")
    reading = builder.cache.read(plan.keys, plan.people)
    if reading is None:
        return None
    if reading.stale:
        raise StoreUnavailableError("Redis does not answer, and profiles are not cached")
    try:
        profile = store.profile(reading.version, customer_id)
    except StoreUnavailableError:
        builder.cache.answering = False
        raise
    if profile is None:
        raise UnknownCustomerError(
            f"no profile of customer {customer_id!r} in version {reading.version}; check the id, or train a version "
            "with the customer's orders"
        )
    live = Identity(customer_id).look(reading, builder.as_of).live
    result = builder.fill(wanted, plan, reading, builder.enroll(wanted, None))
    today = day_of(builder.as_of.timestamp())
    return {
        "customer_id": customer_id,
        "model_version": reading.version,
        "as_of": f"{version_as_of(reading.version):%Y-%m-%dT%H:%M:%SZ}",
        **_now(profile.after({line.day for line in live.orders.lines}), today),
        **_learned(profile),
        "due": [_due(item, result.presentation) for item in result.slate.items],
    }


def _now(profile: Profile, today: int) -> dict[str, Any]:
    """What moves with time and with every order."""
    expected = profile.expected_day
    return {
        "lifecycle": profile.lifecycle(today),
        "last_order_on": to_iso(date_of(profile.last_day)),
        "recency_days": max(today - profile.last_day, 0),
        "expected_date_of_next_order": None if expected is None else to_iso(date_of(expected)),
    }


def _learned(profile: Profile) -> dict[str, Any]:
    """What stays as the training left it."""
    return {
        "rfm": _rfm(profile),
        "first_order_on": to_iso(date_of(profile.first_day)),
        "average_days_between_orders": _known(profile.average_days_between_orders, 1),
        "usual_gap_days": _known(profile.usual_gap_days, 1),
        "historic_number_of_orders": profile.orders,
        "historic_clv": _known(profile.spent, 2),
        "average_order_value": _known(profile.average_order_value, 2),
        "probability_alive": _known(profile.probability_alive, 3),
        "churn_probability": _known(profile.churn_probability, 3),
        "expected_orders": {
            "30d": _known(profile.expected_orders_30d, 3),
            "90d": _known(profile.expected_orders_90d, 3),
            "365d": _known(profile.expected_orders_365d, 3),
        },
        "predicted_number_of_orders": _known(profile.predicted_number_of_orders, 3),
        "predicted_clv": _known(profile.predicted_clv, 2),
        "total_clv": _known(profile.total_clv, 2),
    }


def _rfm(profile: Profile) -> dict[str, Any]:
    scores = (profile.rfm_recency, profile.rfm_frequency, profile.rfm_monetary)
    named = dict(zip(("recency", "frequency", "monetary"), (score or None for score in scores), strict=True))
    score = "".join(map(str, scores)) if all(scores) else None
    return {**named, "score": score, "segment": None if profile.segment == UNKNOWN_SEGMENT else profile.segment}


def _due(item: Item, told: Presentation) -> dict[str, Any]:
    document = to_item(item, told)
    return {name: document[name] for name in ("product_id", "due", "product")}


def _known(number: float, digits: int) -> float | None:
    return round(number, digits) if math.isfinite(number) else None
