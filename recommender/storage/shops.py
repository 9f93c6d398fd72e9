"""Where every shop's store is, and the API keys that open them: the protocol that the service relies on."""

from collections.abc import Mapping
from typing import Protocol

from recommender.storage.api_keys import ApiKey
from recommender.storage.contacts import Contacts
from recommender.storage.event_log import EventLog
from recommender.storage.event_queue import Backlog
from recommender.storage.pick_jobs import PickJobs
from recommender.storage.versions import VersionStore


class ShopStorage(Protocol):
    """All shops on one server. Every method that talks to it raises StoreUnavailableError."""

    def store(self, shop: str) -> VersionStore:
        """The store of `shop`; connects to nothing yet."""

    def event_log(self, shop: str) -> EventLog:
        """The events of `shop`; connects to nothing yet."""

    def backlog(self, shop: str) -> Backlog:
        """What of a shop's events waits to be archived, with the short time-out. Raises StoreUnavailableError."""

    def contacts(self, shop: str) -> Contacts:
        """The ledger of mails of `shop`; connects to nothing yet."""

    def jobs(self, shop: str) -> PickJobs:
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
