"""Reads the profiles of published versions from Redis."""

from recommender.connection.client import RedisClient
from recommender.errors import VersionNotFoundError
from recommender.person import digest_of_person
from recommender.publication.profile import Profile
from recommender.publication.profile_blocks import decode_block, find_profile
from recommender.redis.keys import Keys

_READ = """
local version = ARGV[3]
if redis.call('HGET', KEYS[2], version) ~= 'ready' then version = redis.call('GET', KEYS[1]) end
local key = version and ARGV[1] .. version .. ARGV[2]
local n_blocks = key and redis.call('HLEN', key) or 0
return n_blocks > 0 and redis.call('HGET', key, tonumber(ARGV[4], 16) % n_blocks)
"""
"""KEYS: the current pointer, the hash of versions. ARGV: key of the profiles up to and after the version, the version
wanted or nothing, the first digits of the customer's digest."""


class RedisProfiles:
    """The profiles of one shop.

    Args:
        keys: of the shop.
        reader: has the short time-out of a page that waits.
        writer: has the long one of a job.
    """

    def __init__(self, keys: Keys, reader: RedisClient, writer: RedisClient) -> None:
        self._keys = keys
        self._reader = reader
        self._writer = writer
        self._head, _, self._tail = keys.version("\0", "profiles").partition("\0")

    def find(self, version: str | None, customer_id: str) -> Profile | None:
        """See `Store.profile`. Raises ValueError or struct.error where it cannot be read."""
        digits = digest_of_person(customer_id, None)[:8]
        keys = [self._keys.current, self._keys.versions]
        wire = self._reader.evaluate(_READ, keys, self._head, self._tail, version or "", digits)
        return None if wire is None else find_profile(wire, customer_id)

    def n_blocks(self, version: str) -> int:
        """See `Store.n_profile_blocks`."""
        return int(self._writer.call("HLEN", self._keys.version(version, "profiles")))

    def block(self, version: str, block: int) -> list[Profile]:
        """See `Store.profiles`. Raises ValueError or struct.error where it cannot be read."""
        wire = self._writer.call("HGET", self._keys.version(version, "profiles"), block)
        if wire is None:
            raise VersionNotFoundError(
                f"version {version!r} has no block {block} of profiles, or is kept no more; `reprise models` lists "
                "those there are"
            )
        return decode_block(wire)
