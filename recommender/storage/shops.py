"""Where every shop's store is, and the API keys that open them: the protocol that the service relies on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from recommender.experiments.looks import ExperimentLook
from recommender.results.store import ResultStore
from recommender.storage.api_keys import ApiKey
from recommender.storage.contacts import Contacts
from recommender.storage.event_log import EventLog
from recommender.storage.event_queue import Backlog
from recommender.storage.pick_jobs import PickJobs
from recommender.storage.versions import VersionStore

MOST_JOBS = 100
"""Latest pick jobs whose states are counted."""

MOST_ACTIONS = 1_000
"""Latest actions kept of one shop."""
MOST_ACTION_BYTES = 256 << 10
"""JSON of one action; of a longer one it is kept that it was done, and nothing to undo it by."""

TrainingVerdict = Literal["published", "refused"]
MailState = Literal["sent", "bounced", "refused", "unknown", "no_address"]
JobState = Literal["waiting", "running", "done", "failed"]


@dataclass(frozen=True, slots=True)
class ShopFigures:
    """What the jobs of a shop are doing, for its metrics.

    Attributes:
        backlog: what of its events waits to be archived.
        workers: seconds since each worker was heard of; one that ended is among them for an hour.
        trainings: when a version was last published, and when the gate last refused one, in seconds since 1970.
        mails: how many `reprise send` has settled, by their state.
        jobs: how many of the latest MOST_JOBS pick jobs are in which state.
    """

    backlog: Backlog
    workers: Sequence[float]
    trainings: Mapping[TrainingVerdict, float]
    mails: Mapping[MailState, int]
    jobs: Mapping[JobState, int]


@dataclass(frozen=True, slots=True)
class Action:
    """Something that somebody changed in the console.

    Attributes:
        action_id: unique in the shop.
        at: ISO-8601, UTC.
        key_id: of the API key that signed in; None for anybody on this machine.
        what: the kind of action.
        subject: what was changed, by its name or id.
        before: the subject as it was, plain JSON; None where it was not there.
        after: likewise, since then.
    """

    action_id: str
    at: str
    key_id: str | None
    what: str
    subject: str
    before: Any = None
    after: Any = None


class ShopStorage(Protocol):
    """All shops on one server. Every method that talks to it raises StoreUnavailableError."""

    def store(self, shop: str) -> VersionStore:
        """The store of `shop`; connects to nothing yet."""

    def event_log(self, shop: str) -> EventLog:
        """The events of `shop`; connects to nothing yet."""

    def contacts(self, shop: str) -> Contacts:
        """The ledger of mails of `shop`; connects to nothing yet."""

    def jobs(self, shop: str) -> PickJobs:
        """The campaigns of `shop` whose picks were asked for; connects to nothing yet."""

    def results(self, shop: str) -> ResultStore:
        """What came of recommendations and campaigns of `shop`; connects to nothing yet."""

    def figures(self, shop: str) -> ShopFigures:
        """What the jobs of `shop` are doing, in two round trips with the short time-out."""

    def note_training(self, shop: str, verdict: TrainingVerdict, at: datetime) -> None:
        """Keep when a training of `shop` last ended with this verdict; `at` is aware."""

    def count_mails(self, shop: str, counts: Mapping[MailState, int]) -> None:
        """Add mails of `shop` to those counted so far, by their state."""

    def note_action(self, shop: str, action: Action) -> None:
        """Keep an action of `shop` among its latest MOST_ACTIONS."""

    def actions(self, shop: str, most: int = MOST_ACTIONS) -> list[Action]:
        """The latest actions of `shop`, newest first."""

    def note_look(self, shop: str, look: ExperimentLook) -> None:
        """Keep a look at an experiment of `shop` among its latest MOST_LOOKS."""

    def looks(self, shop: str) -> list[ExperimentLook]:
        """The latest looks at experiments of `shop`, newest first."""

    def end_session(self, session_id: str, kept_s: int) -> None:
        """Remember for so many seconds that a session of the console has ended."""

    def has_ended(self, session_id: str) -> bool:
        """Whether a session of the console has ended before its time."""

    def api_keys(self) -> Mapping[str, ApiKey]:
        """Every API key by its id, in one round trip."""

    def add_api_key(self, key: ApiKey) -> None:
        """Keep a key, in place of what was kept of it. It opens its shop a moment later."""

    def add_requests(self, counts: Mapping[str, int]) -> Mapping[str, int]:
        """Add requests by key id to the sums of all workers, in one round trip, and give those sums.

        They start again from nothing after a minute in which nobody asked for them.
        """

    def close(self) -> None:
        """Give back connections."""
