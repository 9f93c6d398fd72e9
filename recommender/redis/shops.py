"""Storage of all shops on one Redis or Valkey server, which share its connections."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, get_args

from recommender.connection.client import RedisClient
from recommender.data_dir import DataDirectory
from recommender.errors import StoreError
from recommender.experiments.looks import MOST_LOOKS, ExperimentLook
from recommender.redis.contacts import RedisContacts
from recommender.redis.event_log import RedisEventLog
from recommender.redis.event_queue import RedisEventQueue
from recommender.redis.keys import API_KEYS, REQUESTS, Keys, ended_session
from recommender.redis.lua import load_script
from recommender.redis.pick_jobs import RedisPickJobs
from recommender.redis.results.result_store import RedisResultStore
from recommender.redis.versions import RedisVersionStore
from recommender.storage.api_keys import ApiKey
from recommender.storage.shops import (
    MOST_ACTION_BYTES,
    MOST_ACTIONS,
    MOST_JOBS,
    Action,
    MailState,
    ShopFigures,
    TrainingVerdict,
)
from recommender.suppression_list import SuppressionList

_FIGURES = load_script("shops/figures")

WRITE_CONNECT_TIMEOUT_S = 5.0
WRITE_TIMEOUT_S = 30.0
REQUESTS_TTL_S = 60


class RedisShopStorage:
    """The ShopStorage of `url` (see `recommender.connection.client`). Nothing connects before it is used.

    `timeout_ms` bounds each read; publishing may take longer. `home`, where it is given, remembers who unsubscribes and
    who is erased, too. Safe to share between threads.
    """

    def __init__(self, url: str, timeout_ms: int, home: DataDirectory | None = None) -> None:
        """Raises SettingsError where `url` is not an address of Redis."""
        self._home = home
        self._reader = RedisClient(url, connect_timeout_s=timeout_ms / 1000, timeout_s=timeout_ms / 1000)
        self._writer = RedisClient(url, connect_timeout_s=WRITE_CONNECT_TIMEOUT_S, timeout_s=WRITE_TIMEOUT_S)

    def store(self, shop: str) -> RedisVersionStore:
        """See `ShopStorage.store`."""
        return RedisVersionStore(shop, self._reader, self._writer)

    def event_log(self, shop: str) -> RedisEventLog:
        """See `ShopStorage.event_log`. It has the long time-out: an event that is lost does not come again."""
        suppressed = None if self._home is None else SuppressionList(self._home.suppressions(shop))
        return RedisEventLog(shop, self._writer, suppressed)

    def contacts(self, shop: str) -> RedisContacts:
        """See `ShopStorage.contacts`."""
        return RedisContacts(shop, self._reader, self._writer)

    def jobs(self, shop: str) -> RedisPickJobs:
        """See `ShopStorage.jobs`."""
        return RedisPickJobs(shop, self._writer)

    def results(self, shop: str) -> RedisResultStore:
        """See `ShopStorage.results`."""
        return RedisResultStore(shop, self._writer)

    def figures(self, shop: str) -> ShopFigures:
        """See `ShopStorage.figures`."""
        keys = Keys(shop)
        asked = [keys.events, keys.jobs, keys.figures]
        idle_ms, told, jobs = self._reader.evaluate(_FIGURES.text, asked, keys.of_job("job", ""), MOST_JOBS)
        figures = dict(zip((name.decode() for name in told[::2]), map(float, told[1::2]), strict=True))
        return ShopFigures(
            RedisEventQueue(keys, self._reader).backlog(),
            [one / 1000 for one in idle_ms],
            {one: figures.get(f"training:{one}", 0.0) for one in get_args(TrainingVerdict)},
            {one: int(figures.get(f"mails:{one}", 0)) for one in get_args(MailState)},
            Counter(state.decode() for state in jobs),
        )

    def note_training(self, shop: str, verdict: TrainingVerdict, at: datetime) -> None:
        """See `ShopStorage.note_training`."""
        self._writer.call("HSET", Keys(shop).figures, f"training:{verdict}", str(at.timestamp()))

    def count_mails(self, shop: str, counts: Mapping[MailState, int]) -> None:
        """See `ShopStorage.count_mails`."""
        key = Keys(shop).figures
        self._writer.pipeline([("HINCRBY", key, f"mails:{state}", n) for state, n in counts.items()])

    def note_action(self, shop: str, action: Action) -> None:
        """See `ShopStorage.note_action`."""
        text = json.dumps(asdict(action))
        if len(text) > MOST_ACTION_BYTES:
            text = json.dumps(asdict(replace(action, before=None, after=None)))
        key = Keys(shop).actions
        self._writer.pipeline([("LPUSH", key, text), ("LTRIM", key, 0, MOST_ACTIONS - 1)])

    def actions(self, shop: str, most: int = MOST_ACTIONS) -> list[Action]:
        """See `ShopStorage.actions`."""
        return [Action(**json.loads(text)) for text in self._reader.call("LRANGE", Keys(shop).actions, 0, most - 1)]

    def note_look(self, shop: str, look: ExperimentLook) -> None:
        """See `ShopStorage.note_look`."""
        key = Keys(shop).looks
        self._writer.pipeline([("LPUSH", key, json.dumps(look.to_dict())), ("LTRIM", key, 0, MOST_LOOKS - 1)])

    def looks(self, shop: str) -> list[ExperimentLook]:
        """See `ShopStorage.looks`."""
        found = self._reader.call("LRANGE", Keys(shop).looks, 0, MOST_LOOKS - 1)
        return [ExperimentLook.from_dict(json.loads(text)) for text in found]

    def end_session(self, session_id: str, kept_s: int) -> None:
        """See `ShopStorage.end_session`."""
        self._writer.call("SET", ended_session(session_id), "", "EX", kept_s)

    def has_ended(self, session_id: str) -> bool:
        """See `ShopStorage.has_ended`."""
        return bool(self._reader.call("EXISTS", ended_session(session_id)))

    def api_keys(self) -> Mapping[str, ApiKey]:
        """See `ShopStorage.api_keys`."""
        found = self._reader.call("HGETALL", API_KEYS)
        if not isinstance(found, dict):
            self._reader.close()  # a connection whose greeting was not understood stays unusable
            raise StoreError(f"what answers at {self._reader.address} is no Redis; see REPRISE_REDIS_URL")
        return {name.decode(): _from_json(name.decode(), text) for name, text in found.items()}

    def add_api_key(self, key: ApiKey) -> None:
        """See `ShopStorage.add_api_key`."""
        self._writer.call("HSET", API_KEYS, key.key_id, json.dumps(asdict(key)))

    def add_requests(self, counts: Mapping[str, int]) -> Mapping[str, int]:
        """See `ShopStorage.add_requests`."""
        *_, sums = self._reader.pipeline(
            [
                *(("HINCRBY", REQUESTS, key_id, n) for key_id, n in counts.items()),
                ("EXPIRE", REQUESTS, REQUESTS_TTL_S),
                ("HGETALL", REQUESTS),
            ]
        )
        return {key_id.decode(): int(n) for key_id, n in sums.items()}

    def close(self) -> None:
        """See `ShopStorage.close`."""
        self._reader.close()
        self._writer.close()


def _from_json(key_id: str, text: bytes) -> ApiKey:
    """An API key from JSON. Fields of a later release are ignored; a key that cannot be read permits nothing."""
    try:
        fields: dict[str, Any] = {name: value for name, value in json.loads(text).items() if name in ApiKey.__slots__}
        return ApiKey(**fields | {name: tuple(fields[name]) for name in ("scopes", "origins")})
    except (LookupError, ValueError, TypeError, AttributeError):
        return ApiKey(key_id, "", "secret", (), (), digest="", created_at="", label="cannot be read: revoke it")
