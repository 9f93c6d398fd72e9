"""Exposure events: a customer met an experiment; one per customer, experiment and day (UTC)."""

from datetime import UTC, datetime

from recommender.events.event import Event
from recommender.person import digest


def exposure_event(
    experiment: str,
    variant: str,
    customer_id: str,
    at: datetime,
    *,
    placement: str | None = None,
    recommendation_id: str | None = None,
    campaign_id: str | None = None,
) -> Event:
    """The exposure of a customer to a variant, the hold-out included, at `at` (aware).

    Its id is the same all day long, so that a repeated exposure is a duplicate. A customer id may hold anything and be
    long, so a digest stands for it.
    """
    return Event(
        event_id=f"exposure:{experiment}:{at.astimezone(UTC):%Y-%m-%d}:{digest(customer_id)}",
        event_type="exposure",
        customer_id=customer_id,
        occurred_at=at,
        placement=placement,
        recommendation_id=recommendation_id,
        campaign_id=campaign_id,
        experiment=experiment,
        variant=variant,
    )
