"""One reading from Redis: a script that runs there, what it is called with, and what its answer means."""

import hashlib
from collections.abc import Sequence
from typing import Any

from recommender.catalogue.catalogue import Catalogue
from recommender.connection.client import Argument
from recommender.events.recent import LEADS, MOST_READ, NEIGHBOURS, RecentActivity
from recommender.person import decode_id, encode_id
from recommender.publication.lists import LIST_NAMES, RANKED, RECORD_BYTES, ListKey, PublishedList
from recommender.redis.keys import Keys
from recommender.retention import ANSWER_PARTS
from recommender.slate.reading import FetchedLists
from recommender.storage.versions import ListQuery

_LIMITS = f"local most, list_bytes = {LEADS}, {1 + NEIGHBOURS * RANKED.itemsize}\n" + "".join(
    f"local last_{part} = {most - 1}\n" for part, most in MOST_READ.items()
)
_READ_PERSON = (
    _LIMITS
    + """
local function decode(wires)
  local events = {}
  for i = 1, #wires do
    local good, event = pcall(cjson.decode, wires[i])
    if good and type(event) == 'table' and type(event.product_id) == 'string' then events[#events + 1] = event end
  end
  return events
end
local function latest(events, counts)
  local decided, found = {}, {}
  for _, event in ipairs(events) do
    local count, product = counts[event.event_type], event.product_id
    if count ~= nil and not decided[product] and #found < most then
      decided[product] = true
      if count then found[#found + 1] = product end
    end
  end
  return found
end
local function read_person(first, indices_key, together_key, similar_key)
  if redis.call('EXISTS', unpack(KEYS, first, first + 4)) == 0 then return false end
  local orders = redis.call('LRANGE', KEYS[first], 0, last_orders)
  local session = redis.call('LRANGE', KEYS[first + 1], 0, last_session)
  local shown = redis.call('LRANGE', KEYS[first + 2], 0, last_shown)
  local hidden, folded = redis.call('SMEMBERS', KEYS[first + 3]), redis.call('GET', KEYS[first + 4])
  local bought, lately, neighbours, seen, ids = decode(orders), decode(session), {}, {}, {}
  local function add(product)
    if not seen[product] then
      seen[product] = true
      ids[#ids + 1] = product
    end
  end
  for _, event in ipairs(bought) do add(event.product_id) end
  local function read(name, key, products)
    for _, product in ipairs(products) do
      add(product)
      local wire = redis.call('HGET', key, product)
      if wire then
        neighbours[#neighbours + 1] = {name, product, string.sub(wire, 1, list_bytes)}
      end
    end
  end
  read('together', together_key, latest(bought, {purchase = true}))
  read('together', together_key, latest(lately, {add_to_cart = true, remove_from_cart = false}))
  read('similar', similar_key, latest(lately, {view = true}))
  local found = #ids > 0 and redis.call('HMGET', indices_key, unpack(ids)) or {}
  return {orders, session, shown, hidden, folded, ids, found, neighbours}
end
"""
)
"""Reads a person. The lists that its products lead to are read in the same trip, see `RecentActivity`."""

READ = (
    _READ_PERSON
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
READ_DIGEST = hashlib.sha1(READ.encode(), usedforsecurity=False).hexdigest()


class ReadScript:
    """READ for one shop."""

    def __init__(self, keys: Keys) -> None:
        self._fixed_keys = [keys.current, keys.versions]
        self._parts = [keys.of(part, "") for part in ANSWER_PARTS]
        """Keys of a person's parts up to the digest, which ends them."""
        self._head, tail = _around_version(keys, "products")
        self._lists = {name: (_around_version(keys, name)[1], RECORD_BYTES[name]) for name in LIST_NAMES}
        neighbours = (self._lists["together"][0], *self._lists["similar"])
        self._products_tail, self._tails = tail, (_around_version(keys, "indices")[1], *neighbours)

    def call(self, query: ListQuery) -> tuple[list[str], list[Argument]]:
        """KEYS and ARGV for `query`."""
        version = query.version or ""
        recent = "" if query.catalogue is None else version
        arguments: list[Argument] = [self._head, self._products_tail, version, recent, *self._tails]
        for name, owner_id in query.keys:
            tail, n_bytes = self._lists[name]
            arguments += (tail, encode_id(owner_id), n_bytes)
        keys = self._fixed_keys.copy()
        for person in query.people:
            keys += [part + person for part in self._parts]
        return keys, arguments

    def decode(self, answer: Sequence[Any] | None, query: ListQuery) -> FetchedLists | None:
        """What Redis answered to `call` of the same query; what is wrong with nonsense is raised as it comes."""
        if answer is None:
            return None
        named, wires, indices, texts, persons = answer
        version, catalogue = named.decode(), query.catalogue
        lists = {key: None if wire is None else to_list(key, wire) for key, wire in zip(query.keys, wires, strict=True)}
        if catalogue is None or version != query.version:
            catalogue = Catalogue({i: text for i, text in zip(indices, texts, strict=True) if text is not None})
        live = {
            person: to_recent_activity(one)
            for person, one in zip(query.people, persons, strict=True)
            if one is not None
        }
        return FetchedLists(version, lists, catalogue, live)


def _around_version(keys: Keys, part: str) -> tuple[str, str]:
    """What stands before and after the version in the key of `part`."""
    before, _, after = keys.version("\0", part).partition("\0")
    return before, after


def to_list(key: ListKey, wire: bytes) -> PublishedList:
    """Raises ValueError where `wire` cannot be what `ListTable.encode` wrote."""
    published = PublishedList(key.name, wire)
    if not wire or (len(wire) - 1) % RECORD_BYTES[key.name]:
        raise ValueError(f"{len(wire)} bytes are no list")
    _ = published.basis
    return published


def to_recent_activity(answer: Sequence[Any]) -> RecentActivity:
    """What `read_person` returned. Raises as decoding does where somebody else wrote nonsense."""
    orders, session, shown, hidden, folded, ids, found, neighbours = answer
    return RecentActivity(
        orders,
        session,
        shown,
        frozenset(decode_id(product_id) for product_id in hidden),
        folded,
        {product_id.decode(): int(index) for product_id, index in zip(ids, found, strict=True) if index is not None},
        dict(_to_neighbours(*one) for one in neighbours),
    )


def _to_neighbours(name: bytes, owner_id: bytes, wire: bytes) -> tuple[ListKey, PublishedList]:
    key = ListKey("together" if name == b"together" else "similar", owner_id.decode())
    return key, to_list(key, wire)
