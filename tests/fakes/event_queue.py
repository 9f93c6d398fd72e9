"""Waiting events in memory, for tests and for trying things out."""

import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from recommender.person import digest_of_person
from recommender.storage.event_queue import (
    IDLE_S,
    MOST_ENTRIES,
    SHRINK,
    SUSPICIOUS_DELIVERIES,
    Backlog,
    DeadLetter,
    Entry,
)


@dataclass(frozen=True)
class _Held:
    worker: str
    since: float


class MemoryEventQueue:
    """An EventQueue without a server. `timer` tells seconds from any moment on."""

    def __init__(self, timer: Callable[[], float] = time.monotonic) -> None:
        self.entries: dict[str, Entry] = {}
        self.dead: list[DeadLetter] = []
        self.tombstones: dict[str, datetime] = {}
        self._held: dict[str, _Held] = {}
        self._timer = timer
        self._added = 0

    def add(self, wire: bytes) -> None:
        """Let an event wait. Its entry id tells no time."""
        self._added += 1
        entry_id = f"{self._added}-0"
        self.entries[entry_id] = Entry(entry_id, wire, deliveries=0)

    def remove(self, wanted: Callable[[bytes], bool]) -> int:
        """Delete the waiting and dead entries whose wire form is wanted; how many."""
        gone = [entry_id for entry_id, entry in self.entries.items() if wanted(entry.wire)]
        before = len(self.dead)
        self.settle(gone)
        self.dead = [letter for letter in self.dead if not wanted(letter.entry.wire)]
        return len(gone) + before - len(self.dead)

    def join(self) -> None:
        """See `EventQueue.join`."""

    def take(self, worker: str, most: int = MOST_ENTRIES) -> list[Entry]:
        """See `EventQueue.take`."""
        dead_since = self._timer() - IDLE_S
        own = [entry_id for entry_id, held in self._held.items() if held.worker == worker]
        left = [entry_id for entry_id, held in self._held.items() if held.since <= dead_since]
        new = [entry_id for entry_id in self.entries if entry_id not in self._held]
        return [self._hand_out(entry_id, worker) for entry_id in self._choose(own or left or new, most)]

    def settle(self, entry_ids: Collection[str]) -> None:
        """See `EventQueue.settle`."""
        for entry_id in entry_ids:
            self.entries.pop(entry_id, None)
            self._held.pop(entry_id, None)

    def excuse(self, worker: str) -> None:
        """See `EventQueue.excuse`."""
        for entry_id in [entry_id for entry_id, held in self._held.items() if held.worker == worker]:
            self._held[entry_id] = _Held(worker, self._timer())
            self.entries[entry_id] = replace(self.entries[entry_id], deliveries=0)

    def bury(self, entries: Sequence[Entry], reason: str, at: datetime) -> None:
        """See `EventQueue.bury`."""
        for entry in entries:
            first = replace(entry, entry_id=entry.accepted_as or entry.entry_id, accepted_as="")
            self._added += 1
            self.dead.append(DeadLetter(first, reason, at.isoformat(), f"{self._added}-0"))
        self.settle([entry.entry_id for entry in entries])

    def erased(self, customer_ids: Collection[str]) -> frozenset[str]:
        """See `EventQueue.erased`."""
        return frozenset(one for one in customer_ids if digest_of_person(one, None) in self.tombstones)

    def backlog(self) -> Backlog:
        """See `EventQueue.backlog`."""
        in_hand = Counter(held.worker for held in self._held.values())
        return Backlog(len(self.entries), dict(in_hand), next(iter(self.entries), None), len(self.dead))

    def dead_letters(self) -> list[DeadLetter]:
        """See `EventQueue.dead_letters`."""
        return list(self.dead)

    def replay(self, letters: Sequence[DeadLetter]) -> int:
        """See `EventQueue.replay`."""
        there = [letter for letter in letters if letter in self.dead]
        for letter in there:
            self.dead.remove(letter)
            self.add(letter.entry.wire)
            new = next(reversed(self.entries))
            self.entries[new] = replace(self.entries[new], accepted_as=letter.entry.entry_id)
        return len(there)

    def _choose(self, entry_ids: Sequence[str], most: int) -> Sequence[str]:
        least = min((self.entries[one].deliveries for one in entry_ids), default=0)
        often = max(SUSPICIOUS_DELIVERIES, least + 1)
        room = max(1, most // SHRINK ** max(0, least - SUSPICIOUS_DELIVERIES + 1))
        return [one for one in entry_ids if self.entries[one].deliveries < often][:room]

    def _hand_out(self, entry_id: str, worker: str) -> Entry:
        entry = replace(self.entries[entry_id], deliveries=self.entries[entry_id].deliveries + 1)
        self.entries[entry_id], self._held[entry_id] = entry, _Held(worker, self._timer())
        return entry
