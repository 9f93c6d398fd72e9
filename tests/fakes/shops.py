"""A server of shops in memory: gone with the process."""

from collections import Counter
from collections.abc import Mapping

from recommender.person import digest_of_person
from recommender.storage.api_keys import ApiKey
from recommender.storage.event_queue import Backlog
from tests.fakes.contacts import MemoryContacts
from tests.fakes.event_log import MemoryEventLog
from tests.fakes.jobs import MemoryJobs
from tests.fakes.versions import MemoryVersionStore


class MemoryShopStorage:
    """Shops without a server, for tests and for trying things out."""

    def __init__(self, stores: Mapping[str, MemoryVersionStore] | None = None) -> None:
        self._stores: dict[str, MemoryVersionStore] = dict(stores or {})
        self._jobs: dict[str, MemoryJobs] = {}
        self._keys: dict[str, ApiKey] = {}
        self._requests: Counter[str] = Counter()

    def store(self, shop: str) -> MemoryVersionStore:
        """See `ShopStorage.store`."""
        return self._stores.setdefault(shop, MemoryVersionStore())

    def event_log(self, shop: str) -> MemoryEventLog:
        """See `ShopStorage.event_log`."""
        return self.store(shop).event_log

    def backlog(self, shop: str) -> Backlog:
        """See `ShopStorage.backlog`."""
        return self.event_log(shop).queue.backlog()

    def contacts(self, shop: str) -> MemoryContacts:
        """See `ShopStorage.contacts`."""
        return self.event_log(shop).contacts

    def jobs(self, shop: str) -> MemoryJobs:
        """See `ShopStorage.jobs`."""
        erased = self.event_log(shop).erased
        return self._jobs.setdefault(shop, MemoryJobs(lambda one: digest_of_person(one, None) in erased()))

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
