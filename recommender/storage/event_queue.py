"""What waits to be archived: the workers' side of a shop's events."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

MOST_ENTRIES = 5_000
"""In one batch."""
IDLE_S = 30.0
"""A worker that kept an entry this long is taken for dead: another one claims it."""
SUSPICIOUS_DELIVERIES = 3
"""What was handed out this often may end workers: from then on a batch is an eighth of the one before, down to one
entry, so that poison is alone in the end and its neighbours are still archived as batches."""
SHRINK = 8
MOST_DELIVERIES = 8
"""What was handed out more often than this is poison: it was alone twice (5,000, 625, 78, 9, 1), and ended workers."""
MOST_DEAD_LETTERS = 10_000
"""About; the oldest go first."""
IDLE_WORKER_S = 3_600.0
"""A worker without entries that was not heard of for so long is forgotten."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One accepted event as it waits.

    Attributes:
        entry_id: `milliseconds-number`, unique in the shop and rising.
        wire: the event's wire form; empty where somebody else wrote the entry and it holds none.
        deliveries: how often it was handed to a worker that died with it, and to the one that has it now.
        accepted_as: its id when it was accepted, where it was a dead letter since; else empty.
    """

    entry_id: str
    wire: bytes
    deliveries: int = 1
    accepted_as: str = ""

    @property
    def accepted_at(self) -> datetime:
        """When the event was accepted, to the millisecond, by the server's clock."""
        first_id = self.accepted_as or self.entry_id
        return datetime.fromtimestamp(int(first_id.partition("-")[0]) / 1000, UTC)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An entry that no worker could archive, and why not.

    Attributes:
        entry: as it was handed out last.
        reason: for people.
        buried_at: ISO-8601, UTC.
        letter_id: unique among the dead letters of the shop and rising.
    """

    entry: Entry
    reason: str
    buried_at: str
    letter_id: str

    def to_dict(self) -> dict[str, Any]:
        """As `reprise events --dead --json` prints it. What is no UTF-8 in the event is replaced."""
        return {
            "entry_id": self.entry.entry_id,
            "accepted_at": self.entry.accepted_at.isoformat(),
            "buried_at": self.buried_at,
            "reason": self.reason,
            "deliveries": self.entry.deliveries,
            "event": self.entry.wire.decode(errors="replace"),
        }


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits.

    Attributes:
        waiting: accepted events that are not archived yet.
        pending: how many of them each worker has in hand.
        oldest: the id of the oldest of them; None where none waits.
        dead_letters: how many entries no worker could archive.
    """

    waiting: int
    pending: Mapping[str, int]
    oldest: str | None
    dead_letters: int

    def lag_s(self, now: datetime) -> float:
        """Seconds since the oldest waiting event was accepted; 0 where none waits."""
        waited = (now - Entry(self.oldest, b"").accepted_at).total_seconds() if self.oldest else 0.0
        return max(waited, 0.0)


class EventQueue(Protocol):
    """The waiting events of one shop. Each is handed to one worker at a time, until one has settled it.

    Every method raises StoreUnavailableError when the server cannot be reached.
    """

    def join(self) -> None:
        """Prepare for workers; to be called by each before its first `take`, and after the server was away."""

    def take(self, worker: str, most: int = MOST_ENTRIES) -> list[Entry]:
        """Entries for `worker`, oldest first: those it has in hand already, else a dead one's, else new ones.

        [] where nothing waits. A batch has `most` entries at most; of those that were handed out SUSPICIOUS_DELIVERIES
        times or more, the ones handed out least often come, and fewer each time.
        """

    def settle(self, entry_ids: Collection[str]) -> None:
        """Forget entries, which are archived: in one step they neither wait nor are in anybody's hand."""

    def excuse(self, worker: str) -> None:
        """Let all that `worker` has in hand count as handed out just now, for the first time: the worker is alive."""

    def bury(self, entries: Sequence[Entry], reason: str, at: datetime) -> None:
        """Move entries to the dead letters, in one step. `at` is aware."""

    def erased(self, customer_ids: Collection[str]) -> frozenset[str]:
        """Those of `customer_ids` that asked to be forgotten."""

    def backlog(self) -> Backlog:
        """What waits, in one round trip."""

    def dead_letters(self) -> list[DeadLetter]:
        """Every dead letter, the oldest first."""

    def replay(self, letters: Sequence[DeadLetter]) -> int:
        """Let dead letters wait again, as new entries that keep the moment of acceptance; how many were still there."""
