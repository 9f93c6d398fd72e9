"""Where accepted events are kept until a worker has archived them, and a person's latest ones for the next answer."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Literal, Protocol

from recommender.events.event import Event, EventType
from recommender.retention import KEPT_S, PersonalPart
from recommender.storage.event_queue import EventQueue

MAX_RECENT_EVENTS = 200
"""Latest events kept of one person in each of `orders`, `session` and `shown`."""
MOST_SHOWN_A_DAY = 50
"""Products of one day that are kept as shown to one person, so that three more days have room in MAX_RECENT_EVENTS."""
_PARTS: dict[EventType, PersonalPart] = {
    "purchase": "orders",
    "refund": "orders",
    "view": "session",
    "add_to_cart": "session",
    "remove_from_cart": "session",
    "click": "session",
    "impression": "shown",  # a page shows a dozen products, which must not drive out the cart
    "not_interested": "hidden",
    "subscribe": "standing",
    "unsubscribe": "standing",
    "fewer_mails": "standing",
    "mail_complaint": "standing",
    "mail_bounce": "standing",
    "subscription_start": "standing",
    "subscription_end": "standing",
    "mail_sent": "mails",
}
_KEPT = {part: timedelta(seconds=seconds) for part, seconds in KEPT_S.items()}
MUST_BE_KEPT: frozenset[EventType] = frozenset({"unsubscribe", "fewer_mails", "mail_complaint", "mail_bounce"})
"""Events that are kept however many wait, and however full Redis is: somebody wants, or can get, no more mails."""


Sender = Literal["shop", "service", "browser", "reader"]
"""Who tells of an event: the shop's back end, the service of what it does itself, a page in a browser, or a reader of
mails on our own page."""


class Verdict(Enum):
    """What became of one event."""

    ACCEPTED = 0
    DUPLICATE = 1
    ERASED = 2
    """Its customer asked to be forgotten."""


class EventLog(Protocol):
    """The events of one shop."""

    def accept(self, events: Sequence[Event], now: datetime, bound: int, sender: Sender = "shop") -> list[Verdict]:
        """Keep new events, in the log and among the recent ones, both or neither; one verdict each. One round trip.

        Args:
            events: any number, also of one person.
            now: the moment of the request; older events than KEPT_S go to the log alone.
            bound: most events that may wait for a worker.
            sender: ids of `service`, which tells once, are not remembered, those of `browser` for
                PUBLIC_EVENT_ID_KEPT_S; of both, what was shown to a session that did nothing else, which anybody may
                have made up, goes to the log alone.

        Raises:
            BackPressureError: more would wait than `bound`; none was kept but those of MUST_BE_KEPT, so send all again.
            StoreFullError: only the head-room of the memory is left; as above.
            StoreUnavailableError: the server did not answer; whether they were kept is not known, so send them again.
        """

    def tell_reader(self, event: Event) -> None:
        """Keep what a reader did on our own page now: `unsubscribe`, `fewer_mails` or `subscribe`. One round trip.

        It is kept however much waits and however full the server is, and wins over all that the shop sent before it,
        whatever the clocks say.

        Raises StoreUnavailableError: the server did not answer; whether it was kept is not known.
        """

    @property
    def queue(self) -> EventQueue:
        """What waits to be archived."""

    def keep_folded(self, customer_id: str, folded: bytes) -> None:
        """Keep the `discover` list that was made for a customer since the training, as `publication.fold` wrote it."""

    def erase(self, customer_id: str, at: datetime) -> int:
        """Forget a customer's events, waiting, dead and recent, and refuse later ones; how many were in the streams.

        May be called again: the first moment is kept. The server holds the text of those that waited, where nobody can
        read it, until what waited beside them is archived.
        """

    def forget(self, person: str, at: datetime) -> None:
        """As `erase`, of a customer of whom the digest alone is known: what is in the streams stays."""

    def erased(self) -> Collection[str]:
        """`digest_of_person` of everybody who was erased."""

    def rewrite(self) -> bool:
        """Have the server write its append-only file anew, without what was deleted; False where it keeps none."""


def may_be_made_up(event: Event, sender: Sender) -> bool:
    """Whether anybody may have made the person of an event up: a session of which the shop itself does not tell."""
    return sender in ("service", "browser") and event.customer_id is None


def recent_part(event: Event, now: datetime) -> PersonalPart | None:
    """The part of a person's recent activity that an event is kept in; None for none."""
    part = _PARTS.get(event.event_type)
    kept = None if part is None else _KEPT.get(part)
    return part if kept is None or now - event.occurred_at < kept else None


def to_daily(impression: Event) -> Event:
    """An impression as it is kept: who, what and the UTC day, which is its id, too.

    All of one day are equal, so that a product is kept once a day however many rows, pages and sessions showed it.
    """
    day = impression.occurred_at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return Event(
        event_id=day.date().isoformat(),
        event_type="impression",
        customer_id=impression.customer_id,
        session_id=impression.session_id if impression.customer_id is None else None,
        product_id=impression.product_id,
        occurred_at=day,
    )
