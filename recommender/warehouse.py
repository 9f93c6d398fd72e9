"""Where every shop's store is, and the API keys that open them: the protocol that the service relies on."""

from collections.abc import Mapping
from typing import Protocol

from recommender.api_keys import ApiKey
from recommender.memory_store import MemoryStore
from recommender.store import Store


class Warehouse(Protocol):
    """All shops on one server. Every method but `store` and `close` raises StoreUnavailableError."""

    def store(self, shop: str) -> Store:
        """The store of `shop`; connects to nothing yet."""

    def api_keys(self) -> Mapping[str, ApiKey]:
        """Every API key by its id, in one round trip."""

    def add_api_key(self, key: ApiKey) -> None:
        """Keep a key. It opens its shop a moment later."""

    def remove_api_key(self, key_id: str) -> bool:
        """Forget a key; whether there was one."""

    def close(self) -> None:
        """Give back connections."""


class MemoryWarehouse:
    """A Warehouse without a server, for tests and for trying things out."""

    def __init__(self, stores: Mapping[str, Store] | None = None) -> None:
        self._stores: dict[str, Store] = dict(stores or {})
        self._keys: dict[str, ApiKey] = {}

    def store(self, shop: str) -> Store:
        """See `Warehouse.store`."""
        return self._stores.setdefault(shop, MemoryStore())

    def api_keys(self) -> Mapping[str, ApiKey]:
        """See `Warehouse.api_keys`."""
        return dict(self._keys)

    def add_api_key(self, key: ApiKey) -> None:
        """See `Warehouse.add_api_key`."""
        self._keys[key.key_id] = key

    def remove_api_key(self, key_id: str) -> bool:
        """See `Warehouse.remove_api_key`."""
        return self._keys.pop(key_id, None) is not None

    def close(self) -> None:
        """See `Warehouse.close`."""
