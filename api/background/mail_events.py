"""Mail events: openings and clicks of readers."""

from datetime import datetime

from recommender.campaigns.links import MailLink
from recommender.events.event import Event
from recommender.person import digest


def mail_event(link: MailLink, at: datetime, product_id: str | None = None, slot: int | None = None) -> Event:
    """The opening of a mail at `at` (aware); with a product and its slot, the click that led to it.

    Its id is the same for the same mail; of a click, for the same product and day (UTC). So a link that is opened again
    and again, as by programs, adds one event a week at most. Raises ValueError for an event that cannot be.
    """
    mail = digest(f"{len(link.campaign_id)}:{link.campaign_id}{link.customer_id}")
    event_type = "mail_open" if product_id is None else "click"
    of_click = "" if product_id is None else f":{digest(product_id)}:{at:%Y-%m-%d}"
    return Event(
        event_id=f"{event_type}:{mail}{of_click}",
        event_type=event_type,
        customer_id=link.customer_id,
        product_id=product_id,
        occurred_at=at,
        placement="email",
        rank=slot,
        campaign_id=link.campaign_id,
    )
