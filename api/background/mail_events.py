"""What readers of mails did, as events."""

from datetime import datetime

from recommender.campaigns.links import MailLink
from recommender.events.event import Event
from recommender.person import digest


def mail_event(link: MailLink, at: datetime, product_id: str | None = None, slot: int | None = None) -> Event:
    """A mail was opened at `at` (aware); or clicked in, then with the product that it led to, and the slot of it.

    Its id is the same for the same mail; of a click, for the same product and day (UTC). So whoever opens a link again
    and again, as programs do, adds nothing. Raises ValueError for what is no event.
    """
    mail = digest(f"{len(link.campaign_id)}:{link.campaign_id}{link.customer_id}")
    name = "mail_open" if product_id is None else "click"
    of_click = "" if product_id is None else f":{digest(product_id)}:{at:%Y-%m-%d}"
    return Event(
        event_id=f"{name}:{mail}{of_click}",
        event_type=name,
        customer_id=link.customer_id,
        product_id=product_id,
        occurred_at=at,
        placement="email",
        rank=slot,
        campaign_id=link.campaign_id,
    )
