"""What the shop said of its products, in Redis or Valkey: a hash, and a short log by which workers follow it."""

from collections.abc import Collection, Iterable, Iterator, Sequence

from recommender.catalogue.overrides import NO_OVERRIDES, ProductChange, ProductOverrides, Record
from recommender.connection.client import Argument, RedisClient
from recommender.person import decode_id, encode_id
from recommender.redis.keys import Keys

MOST_LOGGED = 10_000
"""Latest changes that are logged. Whoever is further behind reads all there is."""
_PER_TRIP = 1_000
"""Others wait while the server works on one command."""

_UPDATE = """
local found = {}
local function merge(before, said)
  local good, fields = pcall(cjson.decode, before or '{}')
  fields = good and type(fields) == 'table' and fields or {}
  local changed = not before
  for name, value in pairs(cjson.decode(said)) do
    if value == cjson.null then value = nil end
    changed = changed or fields[name] ~= value
    fields[name] = value
  end
  return changed and cjson.encode(fields) or before
end
for i = 2, #ARGV, 3 do
  local product, how, after = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local kept = redis.call('HGET', KEYS[1], product)
  local before = kept and string.match(kept, '^%d+ (.*)$') or nil
  if how == 'patch' then
    after = merge(before, after)
  elseif how == 'delete' then
    after = nil
  end
  if after ~= before then
    local number = redis.call('INCR', KEYS[2])
    if after then
      redis.call('HSET', KEYS[1], product, string.format('%d ', number) .. after)
    else
      redis.call('HDEL', KEYS[1], product)
    end
    redis.call('RPUSH', KEYS[3], product)
  end
  found[#found + 1] = after or false
end
redis.call('LTRIM', KEYS[3], -tonumber(ARGV[1]), -1)
return found
"""
"""KEYS: as `_keys`. ARGV: how many changes to log, then three for each change. Returns what is then said of each.

Runs in one piece: a change has a number if it is kept and logged. What changes nothing has none, and no worker looks.
"""

_CHANGED = """
local behind = tonumber(redis.call('GET', KEYS[2]) or 0) - tonumber(ARGV[1])
local first = redis.call('LLEN', KEYS[3]) - behind
if first < 0 then return false end
local products = redis.call('LRANGE', KEYS[3], first, first + tonumber(ARGV[2]) - 1)
local kept = #products > 0 and redis.call('HMGET', KEYS[1], unpack(products)) or {}
local known = {}
for i, product in ipairs(products) do known[i] = redis.call('HEXISTS', KEYS[4], product) end
return {products, kept, known}
"""
"""KEYS: as `_keys`, and a version's `similar`, which holds each of its products. ARGV: number of the last change that
is known, how many to read. False where the log does not go back so far."""

_ALL = """
local answer = redis.call('HSCAN', KEYS[1], ARGV[1], 'COUNT', ARGV[2])
local products, kept, known = {}, {}, {}
for i = 1, #answer[2], 2 do
  products[#products + 1], kept[#kept + 1] = answer[2][i], answer[2][i + 1]
  known[#known + 1] = redis.call('HEXISTS', KEYS[2], answer[2][i])
end
return {products, kept, known, answer[1]}
"""
"""KEYS: the hash and a version's `similar`. ARGV: where the last trip ended, about how many to read."""


class RedisCatalogue:
    """What is said of one shop's products, and the last of it that was followed.

    Attributes:
        live: all that was said when it was last looked at.
    """

    def __init__(self, keys: Keys, reader: RedisClient, writer: RedisClient) -> None:
        self.live = NO_OVERRIDES
        self._version: str | None = None
        self._number: int | None = None
        self._reader = reader
        self._writer = writer
        self._shop = keys
        self._keys = [keys.catalogue, keys.catalogue_sequence, keys.catalogue_log]

    @property
    def sequence(self) -> str:
        """Key of the string: number of the last change."""
        return self._keys[1]

    def update(self, changes: Sequence[ProductChange]) -> list[bytes | None]:
        """See `Store.update_products`."""
        arguments: list[Argument] = [MOST_LOGGED]
        for one in changes:
            arguments += (encode_id(one.product_id), one.how, one.to_json())
        found: list[bytes | None] = self._writer.evaluate(_UPDATE, self._keys, *arguments)
        return found

    def begin_again(self) -> None:
        """Read everything in the next `follow`: another server may answer then, which has not seen the last changes."""
        self._number = None

    def follow(self, version: str | None, number: int) -> ProductOverrides:
        """What is said as of change `number`, seen from `version`; the very same object where nothing is new."""
        if (version, number) == (self._version, self._number):
            return self.live
        changes: Iterable[Record] | None = None
        if version == self._version and self._number is not None and number > self._number:
            changes = self._read_changes(version, self._number, number)
        if changes is None:
            changes = self._read_all(version) if number else self._forget_all()
        self.live = self.live.change(changes)
        self._version, self._number = version, number
        return self.live

    def _read_changes(self, version: str | None, last: int, number: int) -> list[Record] | None:
        """Those after `last`; None where they are logged no more."""
        records: list[Record] = []
        while last + len(records) < number:
            keys = [*self._keys, self._known(version)]
            answer = self._reader.evaluate(_CHANGED, keys, last + len(records), _PER_TRIP)
            if answer is None or not answer[0]:
                return None
            records += _to_records(*answer)
        return records

    def _read_all(self, version: str | None) -> Iterator[Record]:
        """All there is, and what is there no more."""
        cursor, kept = None, set[str]()
        while cursor != b"0":
            keys = [self._keys[0], self._known(version)]
            *answer, cursor = self._reader.evaluate(_ALL, keys, cursor or b"0", _PER_TRIP)
            for record in _to_records(*answer):
                kept.add(record.product_id)
                yield record
        yield from self._forget_all(kept)

    def _forget_all(self, kept: Collection[str] = ()) -> list[Record]:
        return [Record(gone, 0, None, trained=False) for gone in self.live.records if gone not in kept]

    def _known(self, version: str | None) -> str:
        return self._shop.version(version or "", "similar")


def _to_records(products: Sequence[bytes], kept: Sequence[bytes | None], known: Sequence[int]) -> Iterator[Record]:
    """Nonsense that somebody else wrote says nothing; raises as decoding does where an id is none."""
    for product, text, is_known in zip(products, kept, known, strict=True):
        number, _, said = (text or b"").partition(b" ")
        order = int(number) if number.isdigit() else 0
        yield Record(decode_id(product), order, None if text is None else said, bool(is_known))
