"""What is kept of one customer for the governor: contacts, and marks, each the latest moment of a kind of event.

A mark is only ever moved forward, so events may come in any order. Moments are integers: microseconds since 1970.

The moments of events are the shop's, by its clock, but none counts as later than it came. What readers do on our own
pages is by another clock: it counts from its arrival, and never as earlier than a `subscribe` that came before. It came
at the moment of the request or by the clock of Redis, whichever is later.
"""

import json
from collections.abc import Iterable, Mapping

from recommender.days import to_moment
from recommender.events.event import Event
from recommender.person import digest
from recommender.storage.contacts import ContactState, Mail

_STARTED, _ENDED = "subscription_start:", "subscription_end:"


def mark_of(event: Event) -> str:
    """The mark that an event moves: its type, and the product where it is a subscription to one."""
    is_of_product = event.event_type in ("subscription_start", "subscription_end")
    return f"{event.event_type}:{event.product_id}" if is_of_product else event.event_type


def contact_of(event: Event) -> str:
    """What the contact of a `mail_sent` is kept under: its campaign, or else the event alone."""
    return f"e:{digest(event.event_id)}" if event.campaign_id is None else contact_in(event.campaign_id)


def contact_in(campaign_id: str) -> str:
    """What the contact of a campaign is kept under."""
    return f"c:{campaign_id}"


def encode_mail(at: int, sent_at: int, product_ids: Iterable[str]) -> str:
    """JSON without its brackets: claimed, sent (0 where no event said so), and the products; so one can be appended."""
    return json.dumps([at, sent_at, *product_ids], separators=(",", ":"))[1:-1]


def decode_mail(contact: str, wire: bytes) -> Mail:
    """The inverse of `encode_mail`. Raises ValueError, TypeError or OverflowError where `wire` is no contact."""
    at, sent_at, *product_ids = json.loads(b"[%s]" % wire)
    if not all(isinstance(product_id, str) for product_id in product_ids):
        raise ValueError("a product id is no string")
    campaign_id = contact[2:] if contact.startswith("c:") else ""
    return Mail(campaign_id, to_moment(at), tuple(product_ids), to_moment(sent_at) if sent_at else None)


def subscriptions_in(marks: Mapping[str, int]) -> frozenset[str]:
    """Products that are under subscription; one whose subscription ended at the moment that it began is."""
    started = {name.removeprefix(_STARTED): at for name, at in marks.items() if name.startswith(_STARTED)}
    return frozenset(product_id for product_id, at in started.items() if at >= marks.get(_ENDED + product_id, at))


def to_standing(
    marks: Mapping[str, int], mails: Iterable[Mail], ordered_at: int | None, *, erased: bool
) -> ContactState:
    """What the governor decides by."""
    moments = {name: to_moment(at) for name, at in marks.items()}
    return ContactState(
        mails=tuple(sorted(mails, key=lambda mail: (mail.at, mail.campaign_id), reverse=True)),
        subscribed_at=moments.get("subscribe"),
        unsubscribed_at=moments.get("unsubscribe"),
        fewer_at=moments.get("fewer_mails"),
        complained_at=moments.get("mail_complaint"),
        bounced_at=moments.get("mail_bounce"),
        ordered_at=None if ordered_at is None else to_moment(ordered_at),
        subscriptions=subscriptions_in(marks),
        erased=erased,
    )
