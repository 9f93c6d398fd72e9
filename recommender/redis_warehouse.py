"""All shops on one Redis or Valkey server, which share its connections."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from recommender.api_keys import ApiKey
from recommender.publication import API_KEYS
from recommender.redis_client import RedisClient
from recommender.redis_store import RedisStore

WRITE_CONNECT_TIMEOUT_S = 5.0
WRITE_TIMEOUT_S = 30.0


class RedisWarehouse:
    """A Warehouse on `url` (see `recommender.redis_client`). Nothing connects before it is used.

    `timeout_ms` bounds each read; publishing may take longer. Safe to share between threads.
    """

    def __init__(self, url: str, timeout_ms: int) -> None:
        """Raises SettingsError where `url` is not an address of Redis."""
        self._reader = RedisClient(url, connect_timeout_s=timeout_ms / 1000, timeout_s=timeout_ms / 1000)
        self._writer = RedisClient(url, connect_timeout_s=WRITE_CONNECT_TIMEOUT_S, timeout_s=WRITE_TIMEOUT_S)

    def store(self, shop: str) -> RedisStore:
        """See `Warehouse.store`."""
        return RedisStore(shop, self._reader, self._writer)

    def api_keys(self) -> Mapping[str, ApiKey]:
        """See `Warehouse.api_keys`."""
        return {name.decode(): _from_json(text) for name, text in self._reader.call("HGETALL", API_KEYS).items()}

    def add_api_key(self, key: ApiKey) -> None:
        """See `Warehouse.add_api_key`."""
        self._writer.call("HSET", API_KEYS, key.key_id, json.dumps(asdict(key)))

    def remove_api_key(self, key_id: str) -> bool:
        """See `Warehouse.remove_api_key`."""
        return bool(self._writer.call("HDEL", API_KEYS, key_id))

    def close(self) -> None:
        """See `Warehouse.close`."""
        self._reader.close()
        self._writer.close()


def _from_json(text: bytes) -> ApiKey:
    """Fields of a later release are ignored."""
    fields: dict[str, Any] = {name: value for name, value in json.loads(text).items() if name in ApiKey.__slots__}
    return ApiKey(**fields | {name: tuple(fields[name]) for name in ("scopes", "origins")})
