"""Impression events: products that an answer showed."""

from datetime import datetime

from recommender.events.event import Event
from recommender.slate.slate import Item

MOST_IMPRESSIONS_PER_S = 2_000
"""Of one shop and worker: a hundred answers of twenty products."""


def impression_event(
    item: Item,
    *,
    placement: str,
    recommendation_id: str,
    customer_id: str | None,
    session_id: str | None,
    at: datetime,
) -> Event:
    """The impression of one product shown at `at` (aware), to a customer, a session, or both."""
    return Event(
        event_id=f"{recommendation_id}:{item.rank}",
        event_type="impression",
        customer_id=customer_id,
        session_id=session_id,
        product_id=item.product.product_id,
        occurred_at=at,
        placement=placement,
        recommendation_id=recommendation_id,
        rank=item.rank,
        kind=item.kind,
        reason=item.reason.code,
    )
