"""One reading from Redis: a script that runs there, what it is called with, and what its answer means."""

import hashlib
from collections.abc import Sequence
from typing import Any

from recommender.catalogue import Catalogue
from recommender.person import encode_id
from recommender.publication import LIST_NAMES, RECORD_BYTES, ListKey
from recommender.redis_at_hand import READ_PERSON, to_at_hand, to_list
from recommender.redis_client import Argument
from recommender.redis_keys import Keys
from recommender.retention import ANSWER_PARTS
from recommender.store import Reading

READ = (
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
READ_DIGEST = hashlib.sha1(READ.encode(), usedforsecurity=False).hexdigest()


class ReadScript:
    """READ for one shop."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._head, self._products_tail = self._around_version("products")
        self._lists = {name: (self._around_version(name)[1], RECORD_BYTES[name]) for name in LIST_NAMES}
        neighbours = (self._lists["together"][0], *self._lists["similar"])
        self._tails: list[Argument] = [self._around_version("indices")[1], *neighbours]

    def call(
        self, keys: Sequence[ListKey], version: str | None, catalogue: Catalogue | None, people: Sequence[str]
    ) -> tuple[list[str], list[Argument]]:
        """KEYS and ARGV for what `Reader.read` was asked."""
        at_hand = "" if catalogue is None else version or ""
        arguments: list[Argument] = [self._head, self._products_tail, version or "", at_hand, *self._tails]
        for name, owner_id in keys:
            tail, n_bytes = self._lists[name]
            arguments += (tail, encode_id(owner_id), n_bytes)
        parts = [self._keys.of(part, person) for person in people for part in ANSWER_PARTS]
        return [self._keys.current, self._keys.versions, *parts], arguments

    def decode(
        self,
        answer: Sequence[Any] | None,
        keys: Sequence[ListKey],
        version: str | None,
        catalogue: Catalogue | None,
        people: Sequence[str],
    ) -> Reading | None:
        """What Redis answered to `call` with the same arguments; what is wrong with nonsense is raised as it comes."""
        if answer is None:
            return None
        found, wires, indices, texts, persons = answer
        lists = {key: None if wire is None else to_list(key, wire) for key, wire in zip(keys, wires, strict=True)}
        if catalogue is None or found.decode() != version:
            catalogue = Catalogue({i: text for i, text in zip(indices, texts, strict=True) if text is not None})
        live = {person: to_at_hand(one) for person, one in zip(people, persons, strict=True)}
        return Reading(found.decode(), lists, catalogue, live)

    def _around_version(self, part: str) -> tuple[str, str]:
        """What stands before and after the version in the key of `part`."""
        before, _, after = self._keys.version("\0", part).partition("\0")
        return before, after
