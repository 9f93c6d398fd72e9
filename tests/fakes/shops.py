"""A server of shops in memory: gone with the process."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import get_args

from recommender.experiments.looks import MOST_LOOKS, ExperimentLook
from recommender.person import digest_of_person
from recommender.storage.api_keys import ApiKey
from recommender.storage.shops import MOST_ACTION_BYTES, MOST_ACTIONS, Action, MailState, ShopFigures, TrainingVerdict
from tests.fakes.contacts import MemoryContacts
from tests.fakes.event_log import MemoryEventLog
from tests.fakes.jobs import MemoryJobs
from tests.fakes.results import MemoryResults
from tests.fakes.versions import MemoryVersionStore


class MemoryShopStorage:
    """Shops without a server, for tests and for trying things out."""

    def __init__(self, stores: Mapping[str, MemoryVersionStore] | None = None) -> None:
        self._stores: dict[str, MemoryVersionStore] = dict(stores or {})
        self._jobs: dict[str, MemoryJobs] = {}
        self._results: dict[str, MemoryResults] = {}
        self._keys: dict[str, ApiKey] = {}
        self._requests: Counter[str] = Counter()
        self._trainings: dict[tuple[str, TrainingVerdict], float] = {}
        self._mails: Counter[tuple[str, MailState]] = Counter()
        self._actions: dict[str, list[Action]] = {}
        self._looks: dict[str, list[ExperimentLook]] = {}
        self._ended: set[str] = set()
        self.workers: list[float] = []
        """Seconds since each was heard of: no queue in memory knows."""

    def store(self, shop: str) -> MemoryVersionStore:
        """See `ShopStorage.store`."""
        return self._stores.setdefault(shop, MemoryVersionStore())

    def event_log(self, shop: str) -> MemoryEventLog:
        """See `ShopStorage.event_log`."""
        return self.store(shop).event_log

    def contacts(self, shop: str) -> MemoryContacts:
        """See `ShopStorage.contacts`."""
        return self.event_log(shop).contacts

    def jobs(self, shop: str) -> MemoryJobs:
        """See `ShopStorage.jobs`."""
        erased = self.event_log(shop).erased
        return self._jobs.setdefault(shop, MemoryJobs(lambda one: digest_of_person(one, None) in erased()))

    def results(self, shop: str) -> MemoryResults:
        """See `ShopStorage.results`."""
        return self._results.setdefault(shop, MemoryResults())

    def figures(self, shop: str) -> ShopFigures:
        """See `ShopStorage.figures`."""
        jobs = self.jobs(shop)._jobs.values()
        return ShopFigures(
            self.event_log(shop).queue.backlog(),
            self.workers,
            {one: self._trainings.get((shop, one), 0.0) for one in get_args(TrainingVerdict)},
            {one: self._mails[shop, one] for one in get_args(MailState)},
            Counter(job.state for job in jobs),
        )

    def note_training(self, shop: str, verdict: TrainingVerdict, at: datetime) -> None:
        """See `ShopStorage.note_training`."""
        self._trainings[shop, verdict] = at.timestamp()

    def count_mails(self, shop: str, counts: Mapping[MailState, int]) -> None:
        """See `ShopStorage.count_mails`."""
        self._mails.update({(shop, state): n for state, n in counts.items()})

    def note_action(self, shop: str, action: Action) -> None:
        """See `ShopStorage.note_action`."""
        long = len(json.dumps(asdict(action))) > MOST_ACTION_BYTES
        kept = self._actions.setdefault(shop, [])
        kept.insert(0, replace(action, before=None, after=None) if long else action)
        del kept[MOST_ACTIONS:]

    def actions(self, shop: str, most: int = MOST_ACTIONS) -> list[Action]:
        """See `ShopStorage.actions`."""
        return self._actions.get(shop, [])[:most]

    def note_look(self, shop: str, look: ExperimentLook) -> None:
        """See `ShopStorage.note_look`."""
        self._looks.setdefault(shop, []).insert(0, look)
        del self._looks[shop][MOST_LOOKS:]

    def looks(self, shop: str) -> list[ExperimentLook]:
        """See `ShopStorage.looks`."""
        return list(self._looks.get(shop, []))

    def end_session(self, session_id: str, kept_s: int) -> None:
        """See `ShopStorage.end_session`."""
        self._ended.add(session_id)

    def has_ended(self, session_id: str) -> bool:
        """See `ShopStorage.has_ended`."""
        return session_id in self._ended

    def api_keys(self) -> Mapping[str, ApiKey]:
        """See `ShopStorage.api_keys`."""
        return dict(self._keys)

    def add_api_key(self, key: ApiKey) -> None:
        """See `ShopStorage.add_api_key`."""
        self._keys[key.key_id] = key

    def add_requests(self, counts: Mapping[str, int]) -> Mapping[str, int]:
        """See `ShopStorage.add_requests`."""
        self._requests.update(counts)
        return dict(self._requests)

    def close(self) -> None:
        """See `ShopStorage.close`."""
