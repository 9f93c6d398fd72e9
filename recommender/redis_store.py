"""Published versions in Redis or Valkey. Layout: see `recommender.publication.Keys`.

Per version there is a hash of lists for each list name (field: owner id), a hash of products (field: index) and a
manifest: deleting a version is one command, counting one is HLEN, and an id is never part of a key.
"""

import hashlib
from collections.abc import Callable, Sequence
from functools import lru_cache

from recommender.errors import VersionNotFoundError
from recommender.placements import Placement
from recommender.publication import RECORDS, Keys, ListKey, Manifest, Product, Publication, decode
from recommender.redis_client import Argument, RedisClient
from recommender.redis_publish import Publisher, encode_id
from recommender.store import Position, Reading

_READ = """
local version = ARGV[3]
if version == '' or redis.call('HGET', KEYS[2], version) ~= 'ready' then version = redis.call('GET', KEYS[1]) end
if not version then return false end
local head, unpack_record = ARGV[1] .. version, struct.unpack
local lists, seen, indices, products = {}, {}, {}, {}
for i = 4, #ARGV, 3 do
  local wire = redis.call('HGET', head .. ARGV[i], ARGV[i + 1])
  lists[#lists + 1] = wire
  for at = 2, wire and #wire or 0, tonumber(ARGV[i + 2]) do
    local index = unpack_record('<i4', wire, at)
    if not seen[index] then
      seen[index] = true
      indices[#indices + 1] = index
    end
  end
end
for first = 1, #indices, 1000 do
  local last = math.min(first + 999, #indices)
  for _, product in ipairs(redis.call('HMGET', head .. ARGV[2], unpack(indices, first, last))) do
    products[#products + 1] = product
  end
end
return {version, lists, indices, products}
"""
"""Runs on the server in one piece, so the lists and products of one answer are never of two versions.

KEYS: the current pointer, the hash of versions. ARGV: key of a version's part up to and after the version (products),
the version wanted or nothing, then for each list its key after the version, its owner and the bytes of one record.
"""
_READ_DIGEST = hashlib.sha1(_READ.encode(), usedforsecurity=False).hexdigest()

_FOLLOW = "return {redis.call('GET', KEYS[1]), redis.call('HGETALL', KEYS[2])}"

_ACTIVATE = """
if redis.call('HGET', KEYS[1], ARGV[1]) ~= 'ready' then return 0 end
redis.call('SET', KEYS[2], ARGV[1])
return 1
"""

_to_product = lru_cache(maxsize=8_192)(Product.from_json)
"""Most answers show products that an earlier one showed: reading their JSON again would cost more than Redis."""


class RedisStore:
    """The Store of one shop. Safe to share between threads.

    Args:
        shop: whose keys these are.
        reader: has the short time-out of a page that waits.
        writer: has the long one of a publish.
    """

    def __init__(self, shop: str, reader: RedisClient, writer: RedisClient) -> None:
        self._keys = Keys(shop)
        self._reader = reader
        self._writer = writer

    def read(self, keys: Sequence[ListKey], version: str | None = None) -> Reading | None:
        """See `Store.read`."""
        head, products_tail = self._around_version("products")
        arguments: list[Argument] = [head, products_tail, version or ""]
        for name, owner_id in keys:
            arguments += (self._around_version(name)[1], encode_id(owner_id), RECORDS[name].itemsize)
        answer = self._reader.evaluate_cached(
            _READ, _READ_DIGEST, [self._keys.current, self._keys.versions], *arguments
        )
        if answer is None:
            return None
        found, wires, indices, products = answer
        return Reading(
            version=found.decode(),
            lists={
                key: None if wire is None else decode(key.name, wire) for key, wire in zip(keys, wires, strict=True)
            },
            products={i: _to_product(text) for i, text in zip(indices, products, strict=True) if text is not None},
        )

    def follow(self) -> Position:
        """See `Store.follow`."""
        version, fields = self._reader.evaluate(_FOLLOW, [self._keys.current, self._keys.placements])
        placed = {
            name.decode(): Placement.model_validate_json(text)
            for name, text in zip(fields[::2], fields[1::2], strict=True)
        }
        return Position(None if version is None else version.decode(), placed)

    def place(self, name: str, placement: Placement) -> None:
        """See `Store.place`."""
        self._writer.call("HSET", self._keys.placements, name, placement.model_dump_json())

    def publish(self, publication: Publication, *, keep: int, advance: Callable[[int], None] = lambda _: None) -> None:
        """See `Store.publish`."""
        Publisher(self._writer, self._keys).publish(publication, keep, advance)

    def activate(self, version: str) -> None:
        """See `Store.activate`."""
        if not self._writer.evaluate(_ACTIVATE, [self._keys.versions, self._keys.current], version):
            raise VersionNotFoundError(f"no version {version!r} is kept; `reprise models` lists those there are")

    def current(self) -> str | None:
        """See `Store.current`."""
        version = self._reader.call("GET", self._keys.current)
        return None if version is None else version.decode()

    def manifests(self) -> list[Manifest]:
        """See `Store.manifests`."""
        return Publisher(self._reader, self._keys).manifests()

    def close(self) -> None:
        """See `Store.close`. Other shops of the same clients connect again by themselves."""
        self._reader.close()
        self._writer.close()

    def _around_version(self, part: str) -> tuple[str, str]:
        """What stands before and after the version in the key of `part`."""
        before, _, after = self._keys.version("\0", part).partition("\0")
        return before, after
