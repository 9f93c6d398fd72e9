"""Where every shop's store is, and the API keys that open them: the protocol that the service relies on."""

from collections import Counter
from collections.abc import Mapping
from typing import Protocol

from recommender.api_keys import ApiKey
from recommender.campaigns.contacts import Contacts
from recommender.campaigns.jobs import Jobs
from recommender.campaigns.memory_contacts import MemoryContacts
from recommender.campaigns.memory_jobs import MemoryJobs
from recommender.event_log import EventLog
from recommender.memory_event_log import MemoryEventLog
from recommender.memory_store import MemoryStore
from recommender.person import digest_of_person
from recommender.store import Store


class Warehouse(Protocol):
    """All shops on one server. Every method that talks to it raises StoreUnavailableError."""

    def store(self, shop: str) -> Store:
        """The store of `shop`; connects to nothing yet."""

    def event_log(self, shop: str) -> EventLog:
        """The events of `shop`; connects to nothing yet."""

    def contacts(self, shop: str) -> Contacts:
        """The ledger of mails of `shop`; connects to nothing yet."""

    def jobs(self, shop: str) -> Jobs:
        """The campaigns of `shop` whose picks were asked for; connects to nothing yet."""

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


class MemoryWarehouse:
    """A Warehouse without a server, for tests and for trying things out."""

    def __init__(self, stores: Mapping[str, MemoryStore] | None = None) -> None:
        self._stores: dict[str, MemoryStore] = dict(stores or {})
        self._jobs: dict[str, MemoryJobs] = {}
        self._keys: dict[str, ApiKey] = {}
        self._requests: Counter[str] = Counter()

    def store(self, shop: str) -> MemoryStore:
        """See `Warehouse.store`."""
        return self._stores.setdefault(shop, MemoryStore())

    def event_log(self, shop: str) -> MemoryEventLog:
        """See `Warehouse.event_log`."""
        return self.store(shop).event_log

    def contacts(self, shop: str) -> MemoryContacts:
        """See `Warehouse.contacts`."""
        return self.event_log(shop).contacts

    def jobs(self, shop: str) -> MemoryJobs:
        """See `Warehouse.jobs`."""
        erased = self.event_log(shop).erased
        return self._jobs.setdefault(shop, MemoryJobs(lambda one: digest_of_person(one, None) in erased()))

    def api_keys(self) -> Mapping[str, ApiKey]:
        """See `Warehouse.api_keys`."""
        return dict(self._keys)

    def add_api_key(self, key: ApiKey) -> None:
        """See `Warehouse.add_api_key`."""
        self._keys[key.key_id] = key

    def add_requests(self, counts: Mapping[str, int]) -> Mapping[str, int]:
        """See `Warehouse.add_requests`."""
        self._requests.update(counts)
        return dict(self._requests)

    def close(self) -> None:
        """See `Warehouse.close`."""
