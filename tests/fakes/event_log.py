"""Events in memory, for tests and for trying things out: gone with the process."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime

from recommender.errors import BackPressureError
from recommender.events.event import Event
from recommender.events.recent import MOST_READ
from recommender.person import digest_of_person
from recommender.retention import MOST_HIDDEN, PersonalPart
from recommender.storage.event_log import (
    MAX_RECENT_EVENTS,
    MOST_SHOWN_A_DAY,
    MUST_BE_KEPT,
    Sender,
    Verdict,
    may_be_made_up,
    recent_part,
    to_daily,
)
from tests.fakes.contacts import MemoryContacts
from tests.fakes.event_queue import MemoryEventQueue


class MemoryEventLog:
    """An EventLog without a server."""

    def __init__(self) -> None:
        self.queue = MemoryEventQueue()
        self.recent: defaultdict[tuple[PersonalPart, str], list[Event]] = defaultdict(list)
        self.folded: dict[str, bytes] = {}
        self.contacts = MemoryContacts(self.queue.tombstones, self.recent)
        self._seen: set[str] = set()

    def accept(self, events: Sequence[Event], now: datetime, bound: int, sender: Sender = "shop") -> list[Verdict]:
        """See `EventLog.accept`. An id is never forgotten."""
        if len(self.queue.entries) + len(events) <= bound:
            return [self._accept(event, now, sender) for event in events]
        kept = [self._accept(event, now, sender) for event in events if event.event_type in MUST_BE_KEPT]
        if len(kept) < len(events):
            raise BackPressureError(f"{bound:,} events wait to be archived; run more of `reprise worker`")
        return kept

    def tell_reader(self, event: Event) -> None:
        """See `EventLog.tell_reader`."""
        if self._accept(event, event.occurred_at, "reader") is not Verdict.ERASED:
            self.contacts.note_reader(event)

    def keep_folded(self, customer_id: str, folded: bytes) -> None:
        """See `EventLog.keep_folded`."""
        if not self.queue.erased([customer_id]):
            self.folded[digest_of_person(customer_id, None)] = folded

    def erase(self, customer_id: str, at: datetime) -> int:
        """See `EventLog.erase`."""
        self.forget(digest_of_person(customer_id, None), at)
        return self.queue.remove(lambda wire: Event.from_json(wire).customer_id == customer_id)

    def forget(self, person: str, at: datetime) -> None:
        """See `EventLog.forget`."""
        self.queue.tombstones.setdefault(person, at)
        for key in [key for key in self.recent if key[1] == person]:
            del self.recent[key]
        self.folded.pop(person, None)
        self.contacts.forget(person)

    def erased(self) -> Collection[str]:
        """See `EventLog.erased`."""
        return frozenset(self.queue.tombstones)

    def rewrite(self) -> bool:
        """See `EventLog.rewrite`."""
        return False

    def read_person(self, person: str) -> tuple[list[bytes], list[bytes], list[bytes], frozenset[str], bytes | None]:
        """What is at hand of a person: orders, session and shown as wire forms, hidden, folded."""
        orders, session, shown = (
            [event.to_json() for event in self.recent[part, person][: MOST_READ[part]]] for part in MOST_READ
        )
        hidden = frozenset(event.product_id or "" for event in self.recent["hidden", person])
        return orders, session, shown, hidden, self.folded.get(person)

    def _accept(self, event: Event, now: datetime, sender: Sender) -> Verdict:
        if event.customer_id is not None and self.queue.erased([event.customer_id]):
            return Verdict.ERASED
        if event.event_id in self._seen and sender != "service":
            return Verdict.DUPLICATE
        if sender != "service":
            self._seen.add(event.event_id)
        self.queue.add(event.to_json())
        part = recent_part(event, now)
        person = digest_of_person(event.customer_id, event.session_id)
        if part == "shown" and may_be_made_up(event, sender) and not self.recent.get(("session", person)):
            part = None
        if part in ("standing", "mails"):
            self.contacts.note(event, part, now)
        elif part is not None:
            kept = self.recent[part, person]
            if part == "shown":
                event = to_daily(event)
                if event in kept or [one.event_id for one in kept[MOST_SHOWN_A_DAY - 1 :][:1]] == [event.event_id]:
                    return Verdict.ACCEPTED
            kept.insert(0, event)
            if part in MOST_READ:
                del kept[MAX_RECENT_EVENTS:]
            elif len({one.product_id for one in kept}) > MOST_HIDDEN:
                kept.pop()
        return Verdict.ACCEPTED
