"""The event queue in Redis or Valkey: a stream with a consumer group, and a stream of dead letters."""

from collections.abc import Collection, Sequence
from datetime import datetime

from recommender.connection.client import Argument, RedisClient
from recommender.person import digest_of_person
from recommender.redis.keys import Keys
from recommender.redis.lua import load_script
from recommender.storage.event_queue import (
    IDLE_S,
    IDLE_WORKER_S,
    MOST_DEAD_LETTERS,
    MOST_ENTRIES,
    SHRINK,
    SUSPICIOUS_DELIVERIES,
    Backlog,
    DeadLetter,
    Entry,
)

_JOIN = load_script("event_queue/join")
_TAKE = load_script("event_queue/take")
_EXCUSE = load_script("event_queue/excuse")
_SETTLE = load_script("event_queue/settle")
_BURY = load_script("event_queue/bury")
_BACKLOG = load_script("event_queue/backlog")
_DEAD_LETTERS = load_script("event_queue/dead_letters")
_REPLAY = load_script("event_queue/replay")

_LETTERS_PER_TRIP = 1_000
"""Other clients wait while the server moves them."""


class RedisEventQueue:
    """The EventQueue of one shop. Safe to share between threads.

    Args:
        keys: keys of the shop.
        client: a client with the long time-out of a job.
        idle_s: see IDLE_S.
    """

    def __init__(self, keys: Keys, client: RedisClient, idle_s: float = IDLE_S) -> None:
        self._keys = keys
        self._client = client
        self._idle_s = idle_s

    def join(self) -> None:
        """See `EventQueue.join`."""
        self._client.evaluate(_JOIN.text, [self._keys.events], int(IDLE_WORKER_S * 1000))

    def take(self, worker: str, most: int = MOST_ENTRIES) -> list[Entry]:
        """See `EventQueue.take`."""
        idle_ms = int(self._idle_s * 1000)
        found = self._client.evaluate(
            _TAKE.text, [self._keys.events], worker, most, idle_ms, SUSPICIOUS_DELIVERIES, SHRINK
        )
        return [
            Entry(entry_id.decode(), _field(fields, b"e"), deliveries, _field(fields, b"id").decode())
            for entry_id, fields, deliveries in found
        ]

    def settle(self, entry_ids: Collection[str]) -> None:
        """See `EventQueue.settle`."""
        if entry_ids:
            self._client.evaluate(_SETTLE.text, [self._keys.events], *entry_ids)

    def excuse(self, worker: str) -> None:
        """See `EventQueue.excuse`."""
        self._client.evaluate(_EXCUSE.text, [self._keys.events], worker, MOST_ENTRIES)

    def bury(self, entries: Sequence[Entry], reason: str, at: datetime) -> None:
        """See `EventQueue.bury`."""
        described: list[Argument] = []
        for entry in entries:
            described += (entry.entry_id, entry.accepted_as or entry.entry_id, entry.wire, entry.deliveries)
        if entries:
            keys = [self._keys.events, self._keys.dead_events]
            self._client.evaluate(_BURY.text, keys, MOST_DEAD_LETTERS, reason, at.isoformat(), *described)

    def erased(self, customer_ids: Collection[str]) -> frozenset[str]:
        """See `EventQueue.erased`."""
        asked = list(customer_ids)
        if not asked:
            return frozenset()
        digests = [digest_of_person(customer_id, None) for customer_id in asked]
        found = self._client.call("HMGET", self._keys.erased, *digests)
        return frozenset(one for one, since in zip(asked, found, strict=True) if since is not None)

    def backlog(self) -> Backlog:
        """See `EventQueue.backlog`."""
        keys = [self._keys.events, self._keys.dead_events]
        waiting, pending, oldest, dead = self._client.evaluate(_BACKLOG.text, keys)
        in_hand = {worker.decode(): int(count) for worker, count in pending}
        return Backlog(waiting, in_hand, oldest.decode() or None, dead)

    def dead_letters(self) -> list[DeadLetter]:
        """See `EventQueue.dead_letters`."""
        found = self._client.evaluate(_DEAD_LETTERS.text, [self._keys.dead_events])
        return [_to_dead_letter(letter_id.decode(), fields) for letter_id, fields in found]

    def replay(self, letters: Sequence[DeadLetter]) -> int:
        """See `EventQueue.replay`. One round trip for each _LETTERS_PER_TRIP."""
        keys, ids = [self._keys.events, self._keys.dead_events], [letter.letter_id for letter in letters]
        trips = [ids[first : first + _LETTERS_PER_TRIP] for first in range(0, len(ids), _LETTERS_PER_TRIP)]
        return sum(self._client.evaluate(_REPLAY.text, keys, *trip) for trip in trips)


def _field(fields: Sequence[bytes], name: bytes) -> bytes:
    """One field of an entry, whose names and values alternate; empty where it is absent."""
    return dict(zip(fields[::2], fields[1::2], strict=True)).get(name, b"")


def _to_dead_letter(letter_id: str, fields: Sequence[bytes]) -> DeadLetter:
    entry = Entry(_field(fields, b"id").decode(), _field(fields, b"e"), int(_field(fields, b"deliveries")))
    return DeadLetter(entry, _field(fields, b"reason").decode(), _field(fields, b"at").decode(), letter_id)
