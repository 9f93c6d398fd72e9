"""The event log in Redis or Valkey: a stream for the workers, and each person's recent activity for the next answer."""

import json
import time
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from recommender.connection.client import Argument, RedisClient
from recommender.connection.time_limit import left_s
from recommender.days import to_us
from recommender.errors import BackPressureError, StoreFullError, StoreUnavailableError
from recommender.events.event import Event
from recommender.person import digest, digest_of_person, encode_id
from recommender.redis.contacts import MAIL_LIMITS, USED_PERCENT
from recommender.redis.event_queue import RedisEventQueue
from recommender.redis.keys import Keys
from recommender.redis.lua import load_script
from recommender.retention import (
    EVENT_ID_KEPT_S,
    KEPT_S,
    MOST_HIDDEN,
    MOST_MARKS,
    PERSONAL_PARTS,
    PUBLIC_EVENT_ID_KEPT_S,
    STANDING_KEPT_S,
    PersonalPart,
)
from recommender.storage.contact_marks import contact_of, encode_mail, mark_of
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
from recommender.suppression_list import ERASED, MARKS, Suppression, SuppressionList

BROWSER_PERCENT = 80
"""Of maxmemory: the rest is for what the shop tells, whatever strangers make up."""
_HEAD_ROOM = "who unsubscribes or is erased"
_BOUNDS = {
    "most_hidden": MOST_HIDDEN,
    "most_marks": MOST_MARKS,
    "most_shown_a_day": MOST_SHOWN_A_DAY,
    "looked_at": 32,
    "standing_s": STANDING_KEPT_S,
    "browser_percent": BROWSER_PERCENT,
}
_ACCEPT = load_script(
    "contacts/mails", "event_log/memory", "event_log/accept", used_percent=USED_PERCENT, **MAIL_LIMITS, **_BOUNDS
)
_FORGET = load_script("event_log/forget_person")
_FORGET_ENTRIES = load_script("event_log/forget_entries")
_COPY = load_script("event_log/copy_stream")
_KEEP_FOLDED = load_script("event_log/keep_folded")

_REFUSED = 3
"""What the script says of an event that is refused as too much is there."""
_ENTRIES_PER_TRIP = 1_000
"""Other clients wait while the server looks through them."""


class RedisEventLog:
    """The EventLog of one shop. Safe to share between threads.

    Args:
        shop: the shop whose keys these are.
        client: with a long time-out: an event that is lost does not come again.
        suppressed: remembers outside of Redis who is not written to any more and who was erased; None: nothing does.
    """

    def __init__(self, shop: str, client: RedisClient, suppressed: SuppressionList | None = None) -> None:
        self._keys = Keys(shop)
        self._client = client
        self._suppressed = suppressed

    @property
    def queue(self) -> RedisEventQueue:
        """See `EventLog.queue`."""
        return RedisEventQueue(self._keys, self._client)

    def accept(self, events: Sequence[Event], now: datetime, bound: int, sender: Sender = "shop") -> list[Verdict]:
        """See `EventLog.accept`."""
        load, verdicts = self._accept(events, now, bound, sender)
        if _REFUSED not in verdicts:
            return [Verdict(verdict) for verdict in verdicts]
        if load == b"memory":
            percent, rest = (
                (BROWSER_PERCENT, "what the shop tells") if sender == "browser" else (USED_PERCENT, _HEAD_ROOM)
            )
            raise StoreFullError(
                f"Redis at {self._client.address} has {percent} % of its maxmemory in use; the rest is for {rest}; "
                "raise its maxmemory"
            )
        raise BackPressureError(f"{bound:,} events wait to be archived; run more of `reprise worker`")

    def tell_reader(self, event: Event) -> None:
        """See `EventLog.tell_reader`."""
        self._accept([event], event.occurred_at, 0, "reader")

    def keep_folded(self, customer_id: str, folded: bytes) -> None:
        """See `EventLog.keep_folded`."""
        person = digest_of_person(customer_id, None)
        keys = [self._keys.erased, self._keys.of("folded", person)]
        self._client.evaluate(_KEEP_FOLDED.text, keys, person, folded, KEPT_S["folded"])

    def erase(self, customer_id: str, at: datetime) -> int:
        """See `EventLog.erase`. One round trip, and one for each _ENTRIES_PER_TRIP of the streams."""
        self.forget(digest_of_person(customer_id, None), at)
        dead_letters = self._forget_entries(self._keys.dead_events, customer_id)
        if dead_letters:
            self._client.evaluate(_COPY.text, [self._keys.dead_events])
        return dead_letters + self._forget_entries(self._keys.events, customer_id)

    def forget(self, person: str, at: datetime) -> None:
        """See `EventLog.forget`."""
        kept = [self._keys.of(part, person) for part in PERSONAL_PARTS]
        self._client.evaluate(_FORGET.text, [self._keys.erased, *kept], person, at.isoformat())
        self._remember([Suppression(person, ERASED, to_us(at))])

    def erased(self) -> Collection[str]:
        """See `EventLog.erased`."""
        return frozenset(field.decode() for field in self._client.call("HKEYS", self._keys.erased))

    def rewrite(self) -> bool:
        """See `EventLog.rewrite`. Raises StoreUnavailableError where the server forbids it or fails."""
        if not self._ask_server("INFO", "persistence")["aof_enabled"]:
            return False
        self._wait_for_rewrite()  # one that began before still holds what was deleted since
        self._ask_server("BGREWRITEAOF")
        if self._wait_for_rewrite() != "ok":
            raise StoreUnavailableError("Redis could not write its append-only file anew; see its log, free its disk")
        return True

    def _wait_for_rewrite(self) -> str:
        """Status of the last rewrite, once none runs."""
        found = self._ask_server("INFO", "persistence")
        while found["aof_rewrite_in_progress"] or found["aof_rewrite_scheduled"]:
            time.sleep(0.05)
            found = self._ask_server("INFO", "persistence")
        return str(found["aof_last_bgrewrite_status"])

    def _ask_server(self, *command: Argument) -> Any:
        """The answer of the server that holds the shop: on a cluster the first key of a pipeline names it."""
        return self._client.pipeline([("EXISTS", self._keys.events), command])[1]

    def _accept(self, events: Sequence[Event], now: datetime, bound: int, sender: Sender) -> tuple[bytes, list[int]]:
        """What the script says: why some are refused, and of each event what became of it."""
        seen_s = PUBLIC_EVENT_ID_KEPT_S if sender == "browser" else EVENT_ID_KEPT_S
        arguments: list[Argument] = [bound, seen_s, MAX_RECENT_EVENTS, sender, to_us(now)]
        for event in events:
            arguments += self._describe(event, now, sender)
        keys = [self._keys.events, self._keys.erased]
        load, verdicts, marks = self._client.evaluate_cached(*_ACCEPT, keys, *arguments)
        # also of an event that is known: where it was not remembered, its sender was told to repeat it
        self._remember(
            Suppression(digest_of_person(event.customer_id, None), event.event_type, at)
            for event, at in zip(events, marks, strict=True)
            if at and event.event_type in MARKS
        )
        return load, verdicts

    def _remember(self, suppressions: Iterable[Suppression]) -> None:
        if self._suppressed is not None:
            self._suppressed.add(suppressions, left_s())

    def _describe(self, event: Event, now: datetime, sender: Sender) -> tuple[Argument, ...]:
        part = recent_part(event, now)
        made_up = may_be_made_up(event, sender) and part == "shown"
        person = digest_of_person(event.customer_id, event.session_id)
        return (
            "" if sender == "service" else self._keys.of("seen", digest(event.event_id)),
            "" if event.customer_id is None else person,
            part or "",
            self._keys.of(part, person) if part else "",
            self._keys.of("session", person) if made_up else "",
            *_describe_kept(event, part),
            int(sender == "reader" or event.event_type in MUST_BE_KEPT),
            event.to_json(),
        )

    def _forget_entries(self, stream: str, customer_id: str) -> int:
        """Delete a customer's entries from a stream and return how many; later ones are refused anyway."""
        # as text: inside another string the quotes would be escaped
        wanted = [f'"customer_id":{space}{json.dumps(customer_id)}' for space in ("", " ")]
        removed, looked_at, first = 0, _ENTRIES_PER_TRIP, b"-"
        while looked_at == _ENTRIES_PER_TRIP:
            found = self._client.evaluate(_FORGET_ENTRIES.text, [stream], first, _ENTRIES_PER_TRIP, *wanted)
            removed, looked_at, first = removed + found[0], found[1], b"(" + (found[2] or b"")
        return removed


def _describe_kept(event: Event, part: PersonalPart | None) -> tuple[Argument, Argument]:
    """What a part keeps of an event, and under which name; for a list of events the seconds that it is kept."""
    if part == "standing":
        return to_us(event.occurred_at), encode_id(mark_of(event))
    if part == "mails":
        at = to_us(event.occurred_at)
        return encode_mail(at, at, [event.product_id] if event.product_id else []), encode_id(contact_of(event))
    if part == "shown":
        return KEPT_S[part], to_daily(event).to_json()
    return KEPT_S.get(part, 0) if part else 0, encode_id(event.product_id or "")
