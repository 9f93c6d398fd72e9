"""Published versions in Redis or Valkey. Layout: see `recommender.redis_keys.Keys`.

Per version there is a hash of lists for each list name (field: owner id), of products (field: index) and of blocks of
profiles (field: number), and a manifest: deleting a version is one command, counting one is HLEN, and an id is never
part of a key.
"""

import hashlib
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from pydantic import ValidationError

from recommender.at_hand import PARTS
from recommender.catalogue import Catalogue, entry_bytes
from recommender.errors import StoreError, VersionNotFoundError
from recommender.fold_in import ProductFactors
from recommender.live_catalogue import ProductChange
from recommender.placements import Placement
from recommender.profiles import Profile
from recommender.publication import LIST_NAMES, RECORDS, ListKey, Manifest, Publication
from recommender.redis_at_hand import READ_PERSON, to_at_hand, to_list
from recommender.redis_catalogue import RedisCatalogue
from recommender.redis_client import Argument, RedisClient
from recommender.redis_keys import Keys
from recommender.redis_profiles import RedisProfiles
from recommender.redis_publish import READY, Publisher, encode_id
from recommender.store import Position, Reading

_READ = (
    READ_PERSON
    + """
local version, at_hand = ARGV[3], ARGV[4]
if version == '' or redis.call('HGET', KEYS[2], version) ~= 'ready' then version = redis.call('GET', KEYS[1]) end
if not version then return false end
local head, unpack_record = ARGV[1] .. version, struct.unpack
local lists, seen, indices, products, people = {}, {}, {}, {}, {}
local function want(index)
  if not seen[index] then
    seen[index] = true
    indices[#indices + 1] = index
  end
end
local function want_all(wire, n_bytes)
  for at = 2, wire and version ~= at_hand and #wire - n_bytes + 1 or 0, n_bytes do
    want(unpack_record('<i4', wire, at))
  end
end
for i = 9, #ARGV, 3 do
  local wire = redis.call('HGET', head .. ARGV[i], ARGV[i + 1])
  lists[#lists + 1] = wire
  want_all(wire, tonumber(ARGV[i + 2]))
end
for first = 3, #KEYS, 5 do
  local person = read_person(first, head .. ARGV[5], head .. ARGV[6], head .. ARGV[7])
  people[#people + 1] = person
  if person and version ~= at_hand then
    for _, one in ipairs(person[8]) do want_all(one[3], tonumber(ARGV[8])) end
    want_all(string.match(person[5] or '', '\\n(.*)'), tonumber(ARGV[8]))
    for _, found in ipairs(person[7]) do
      local index = tonumber(found or '')
      if index then want(index) end
    end
  end
end
for first = 1, #indices, 1000 do
  local last = math.min(first + 999, #indices)
  for _, product in ipairs(redis.call('HMGET', head .. ARGV[2], unpack(indices, first, last))) do
    products[#products + 1] = product
  end
end
return {version, lists, indices, products, people}
"""
)
"""Runs on the server in one piece, so the lists and products of one answer are never of two versions.

KEYS: the current pointer, the hash of versions, then the parts of each person. ARGV: key of a version's part up to and
after the version (products), the version wanted or nothing, the version whose products need not travel or nothing, the
keys of `indices`, `together` and `similar` after the version, the bytes of one record of the latter two, then for each
list its key after the version, its owner and the bytes of one record.
"""
_READ_DIGEST = hashlib.sha1(_READ.encode(), usedforsecurity=False).hexdigest()

_FOLLOW = """
local version = redis.call('GET', KEYS[1])
local state = version and redis.call('HGET', KEYS[2], version)
local changes = tonumber(redis.call('GET', KEYS[5]) or 0)
return {version, state, redis.call('HGETALL', KEYS[3]), redis.call('HLEN', KEYS[4]), changes}
"""

_FIND = """
local found = {}
for i, product in ipairs(ARGV) do
  local index = redis.call('HGET', KEYS[1], product)
  found[i] = index and redis.call('HGET', KEYS[2], index)
end
return found
"""

_ACTIVATE = """
if redis.call('HGET', KEYS[1], ARGV[1]) ~= 'ready' then return 0 end
redis.call('SET', KEYS[2], ARGV[1])
return 1
"""

_PRODUCTS_PER_TRIP = 500
"""Readers wait while the server works on one command."""


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
        self._catalogue = RedisCatalogue(self._keys, reader, writer)
        self._profiles = RedisProfiles(self._keys, reader, writer)
        self._head, self._products_tail = self._around_version("products")
        self._lists = {name: (self._around_version(name)[1], RECORDS[name].itemsize) for name in LIST_NAMES}
        neighbours = (self._lists["together"][0], *self._lists["similar"])
        self._tails: list[Argument] = [self._around_version("indices")[1], *neighbours]

    def read(
        self,
        keys: Sequence[ListKey],
        version: str | None = None,
        catalogue: Catalogue | None = None,
        people: Sequence[str] = (),
    ) -> Reading | None:
        """See `Store.read`."""
        at_hand = "" if catalogue is None else version or ""
        arguments: list[Argument] = [self._head, self._products_tail, version or "", at_hand, *self._tails]
        for name, owner_id in keys:
            tail, n_bytes = self._lists[name]
            arguments += (tail, encode_id(owner_id), n_bytes)
        parts = [self._keys.of(part, person) for person in people for part in PARTS]
        named = [self._keys.current, self._keys.versions, *parts]
        answer = self._reader.evaluate_cached(_READ, _READ_DIGEST, named, *arguments)
        if answer is None:
            return None
        with self._reading("a version"):
            found, wires, indices, texts, persons = answer
            lists = {key: None if wire is None else to_list(key, wire) for key, wire in zip(keys, wires, strict=True)}
            if catalogue is None or found.decode() != version:
                catalogue = Catalogue({i: text for i, text in zip(indices, texts, strict=True) if text is not None})
            live = {person: to_at_hand(one) for person, one in zip(people, persons, strict=True)}
            return Reading(found.decode(), lists, catalogue, live)

    def catalogue(self, version: str, most_bytes: int) -> Catalogue | None:
        """See `Store.catalogue`."""
        key = self._keys.version(version, "products")
        n_products: int = self._reader.call("HLEN", key)
        texts: dict[int, bytes] = {}
        for first in range(0, n_products, _PRODUCTS_PER_TRIP):
            indices = range(first, min(first + _PRODUCTS_PER_TRIP, n_products))
            found = self._reader.call("HMGET", key, *indices)
            texts |= {i: text for i, text in zip(indices, found, strict=True) if text is not None}
            most_bytes -= sum(map(entry_bytes, found))
            if most_bytes < 0:
                return None
        complete = len(texts) == n_products > 0  # else the version was deleted meanwhile
        return Catalogue(texts) if complete else None

    def follow(self) -> Position:
        """See `Store.follow`."""
        keys = [self._keys.current, self._keys.versions, self._keys.placements, self._keys.erased]
        try:
            answer = self._reader.evaluate(_FOLLOW, [*keys, self._catalogue.sequence])
        except StoreError:
            self._catalogue.begin_again()
            raise
        with self._reading("the name of the current version"):
            current, state, fields, erasures, changes = answer
            if current is not None and state != READY.encode():
                raise ValueError("it names no version that is whole")
            version = None if current is None else current.decode()
            placed = {name.decode(): _to_placement(text) for name, text in zip(fields[::2], fields[1::2], strict=True)}
        kept = {name: placement for name, placement in placed.items() if placement is not None}
        with self._reading("what was said of products"):
            live = self._catalogue.follow(version, changes)
        return Position(version, kept, erasures, live, unreadable=frozenset(placed.keys() - kept.keys()))

    def factors(self, version: str) -> ProductFactors | None:
        """See `Store.factors`."""
        wire = self._writer.call("GET", self._keys.version(version, "factors"))
        return None if wire is None else ProductFactors.from_bytes(wire)

    def place(self, name: str, placement: Placement) -> None:
        """See `Store.place`."""
        self._writer.call("HSET", self._keys.placements, name, placement.model_dump_json())

    def update_products(self, changes: Sequence[ProductChange]) -> list[bytes | None]:
        """See `Store.update_products`."""
        return self._catalogue.update(changes)

    def find_products(self, version: str, product_ids: Sequence[str]) -> dict[str, bytes]:
        """See `Reader.find_products`."""
        keys = [self._keys.version(version, part) for part in ("indices", "products")]
        found = self._reader.evaluate(_FIND, keys, *map(encode_id, product_ids))
        return {product_id: text for product_id, text in zip(product_ids, found, strict=True) if text is not None}

    def profile(self, version: str | None, customer_id: str) -> Profile | None:
        """See `Store.profile`."""
        with self._reading("a profile"):
            return self._profiles.find(version, customer_id)

    def n_profile_blocks(self, version: str) -> int:
        """See `Store.n_profile_blocks`."""
        return self._profiles.n_blocks(version)

    def profiles(self, version: str, block: int) -> list[Profile]:
        """See `Store.profiles`."""
        with self._reading("profiles"):
            return self._profiles.block(version, block)

    def publish(self, publication: Publication, *, keep: int, advance: Callable[[int], None] = lambda _: None) -> None:
        """See `Store.publish`."""
        Publisher(self._writer, self._keys).publish(publication, keep, advance)

    def activate(self, version: str) -> None:
        """See `Store.activate`."""
        if not self._writer.evaluate(_ACTIVATE, [self._keys.versions, self._keys.current], version):
            raise VersionNotFoundError(f"no version {version!r} is kept; `reprise models` lists those there are")

    def erase(self, customer_id: str, at: datetime) -> int:
        """See `Store.erase`."""
        return Publisher(self._writer, self._keys).erase(customer_id, at)

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

    @contextmanager
    def _reading(self, what: str) -> Iterator[None]:
        """Make of nonsense in Redis an error of the store. What it says may be somebody's data: it is not quoted."""
        try:
            yield
        except (ValueError, TypeError, LookupError, AttributeError, struct.error):
            raise StoreError(
                f"Redis at {self._reader.address} holds {what} of shop {self._keys.shop!r} that cannot be read; "
                "publish again, or roll back"
            ) from None

    def _around_version(self, part: str) -> tuple[str, str]:
        """What stands before and after the version in the key of `part`."""
        before, _, after = self._keys.version("\0", part).partition("\0")
        return before, after


def _to_placement(text: bytes) -> Placement | None:
    """None for one that cannot be read: that of the settings stands in for it."""
    try:
        return Placement.model_validate_json(text)
    except ValidationError:
        return None
