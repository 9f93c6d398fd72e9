"""The event worker: takes a batch of queued events, archives it, refreshes its customers' lists, then acknowledges it.

At least once: when a worker dies, its entries are handed to another one. An event that is archived twice counts once,
and `refresh` must be idempotent, too.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from pydantic import ValidationError

from recommender.errors import RepriseError, StoreFullError, StoreUnavailableError
from recommender.events.event import Event
from recommender.storage.event_queue import MOST_DELIVERIES, MOST_ENTRIES, Entry, EventQueue
from training.events.archive import Archive, Archived, why_unfit

GATHER_S = 0.25
"""Pause after a batch that was not full, in which events gather: a file each would be many files."""
RETRY_S = 1.0
"""Pause after Redis or the disk failed."""
JOIN_EVERY = 100
"""Batches between two looks whether there are many small files."""

Refresh = Callable[[Sequence[Event]], None]


@dataclass
class EventCounts:
    """Numbers of events that a worker handled.

    Attributes:
        archived: events, counted again where they were archived again.
        dead_letters: entries that could not be archived.
        batches: how many there were.
    """

    archived: int = 0
    dead_letters: int = 0
    batches: int = 0

    def to_dict(self) -> dict[str, int]:
        """The fields as plain JSON."""
        return asdict(self)


@dataclass(frozen=True)
class EventWorker:
    """A worker of one shop.

    Attributes:
        name: unique among running workers; one with the name of a dead one takes over its entries at once.
        queue: of accepted events.
        archive: of the shop.
        refresh: is called with each batch once it is archived, to renew these customers' lists. Where Redis fails,
            the batch stays queued, to be handled again.
        clock: the aware moment.
        tell: shows a line on the worker's console.
        counts: what was done so far.
    """

    name: str
    queue: EventQueue
    archive: Archive
    refresh: Refresh
    clock: Callable[[], datetime]
    tell: Callable[[str], None]
    counts: EventCounts

    def follow(self, stop: threading.Event, *, once: bool = False) -> None:
        """Handle batches until `stop` is set, or, with `once`, until all queued events are with other workers.

        Where Redis or the disk fails, nothing is raised: the worker shows a line and waits until it works again.
        """
        failing = joined = False
        while not stop.is_set():
            try:
                if not joined:
                    self.queue.join()
                    joined = True
                if failing:  # also what was handed out while the answer was lost
                    self.queue.excuse(self.name)
                n_entries = self.work()
            except Exception as error:  # whatever it is, the worker is alive, and so nothing counts against the events
                if not failing:
                    self.tell(_describe(error))
                failing, joined = True, False
                stop.wait(RETRY_S)
                continue
            if failing:
                self.tell("archiving goes on")
                failing = False
            if once and not n_entries:
                return
            if n_entries < MOST_ENTRIES and not once:
                stop.wait(GATHER_S)

    def work(self) -> int:
        """Handle one batch; the number of its entries.

        Raises:
            StoreError: Redis failed; nothing is lost.
            HomeError: the disk did; nor is it then.
        """
        entries = self.queue.take(self.name)
        batch = self._sort_out(entries)
        try:
            self._archive(batch)
        except RepriseError:
            raise
        except Exception:
            self._bury_unfit(entries, batch)
            raise
        self._refresh([one.event for one in batch])
        self.queue.settle([one.entry_id for one in batch])
        self.counts.archived += len(batch)
        self.counts.batches += bool(entries)
        if self.counts.batches % JOIN_EVERY == 1 and batch:
            self.archive.join_small_files()
        return len(entries)

    def _sort_out(self, entries: Sequence[Entry]) -> list[Archived]:
        """The events; what is poison is buried."""
        batch = []
        for entry in entries:
            reason = f"{entry.deliveries - 1} workers died with it" if entry.deliveries > MOST_DELIVERIES else ""
            try:
                event = Event.from_json(entry.wire)
                one = Archived(entry.entry_id, entry.accepted_at, event)
            except ValueError as error:
                reason = f"no event: {_reason(error)}"
            if reason:
                self._bury([entry], reason)
            else:
                batch.append(one)
        return batch

    def _bury(self, entries: Sequence[Entry], reason: str) -> None:
        self.queue.bury(entries, reason, self.clock())
        self.counts.dead_letters += len(entries)

    def _archive(self, batch: Sequence[Archived]) -> None:
        """Archive a batch without those who were erased, also while it was written."""
        customers = {one.event.customer_id for one in batch if one.event.customer_id is not None}
        left_out: frozenset[str] | None = None
        while (erased := self.queue.erased(customers)) != left_out:
            self.archive.write(batch, erased)
            left_out = erased

    def _bury_unfit(self, entries: Sequence[Entry], batch: Sequence[Archived]) -> None:
        """Bury the events that are no rows of the archive, so that the others go on without them."""
        unfit = {one.entry_id: reason for one in batch if (reason := why_unfit(one))}
        for entry in entries:
            if entry.entry_id in unfit:
                self._bury([entry], f"cannot be archived: {unfit[entry.entry_id]}")

    def _refresh(self, events: Sequence[Event]) -> None:
        """Renew lists; a bug in it stops no event, as the next training makes the same lists better."""
        try:
            if events:
                self.refresh(events)
        except (StoreUnavailableError, StoreFullError):
            raise
        except Exception as error:  # also a version that cannot be read
            self.tell(f"{type(error).__name__} while lists were renewed: {error}; the events are archived")


def _reason(error: ValueError) -> str:
    """The reason of a dead letter, without quoting the entry."""
    if not isinstance(error, ValidationError):
        return type(error).__name__
    found = error.errors()[0]
    return ": ".join(filter(None, (".".join(map(str, found["loc"])), found["msg"])))


def _describe(error: Exception) -> str:
    if isinstance(error, RepriseError):
        return f"{error}; waiting"
    return f"unexpected {type(error).__name__} while archiving: {error}; its events stay in the log, trying again"
