"""Waiting events in Redis or Valkey: a stream with a consumer group, and a stream of dead letters."""

from collections.abc import Collection, Sequence
from datetime import datetime

from recommender.connection.client import Argument, RedisClient
from recommender.person import digest_of_person
from recommender.redis.keys import Keys
from recommender.storage.event_queue import (
    IDLE_S,
    IDLE_WORKER_S,
    MOST_DEAD_LETTERS,
    MOST_ENTRIES,
    SUSPICIOUS_DELIVERIES,
    Backlog,
    DeadLetter,
    Entry,
)

_JOIN = """
redis.pcall('XGROUP', 'CREATE', KEYS[1], 'workers', '0', 'MKSTREAM')
for _, worker in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], 'workers')) do
  if worker[4] == 0 and worker[6] > tonumber(ARGV[1]) then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], 'workers', worker[2])
  end
end
"""
"""A group that is there already is left as it is. ARGV: milliseconds after which an idle worker is forgotten."""

_TAKE = """
local stream, worker, most, idle_ms, often = KEYS[1], ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local function claim(pending, idle)
  local ids, times = {}, {}
  for _, one in ipairs(pending) do
    if one[4] < often then
      ids[#ids + 1] = one[1]
      times[one[1]] = one[4] + 1
    end
  end
  if #ids == 0 and #pending > 0 then
    ids, times = {pending[1][1]}, {[pending[1][1]] = pending[1][4] + 1}
  end
  local taken = {}
  if #ids == 0 then return taken end
  for _, entry in ipairs(redis.call('XCLAIM', stream, 'workers', worker, idle, unpack(ids))) do
    if entry then
      taken[#taken + 1] = {entry[1], entry[2], times[entry[1]]}
      times[entry[1]] = nil
    end
  end
  for id in pairs(times) do
    if #redis.call('XRANGE', stream, id, id) == 0 then redis.call('XACK', stream, 'workers', id) end
  end
  return taken
end
local taken = claim(redis.call('XPENDING', stream, 'workers', '-', '+', most, worker), 0)
if #taken > 0 then return taken end
taken = claim(redis.call('XPENDING', stream, 'workers', 'IDLE', idle_ms, '-', '+', most), idle_ms)
if #taken > 0 then return taken end
local found = redis.call('XREADGROUP', 'GROUP', 'workers', worker, 'COUNT', most, 'STREAMS', stream, '>')
for _, entry in ipairs(found and found[1][2] or {}) do
  taken[#taken + 1] = {entry[1], entry[2], 1}
end
return taken
"""
"""XAUTOCLAIM would not tell how often an entry was handed out. An entry that was deleted while somebody had it in hand
is no entry any more; Redis 6.2 has to be told so.

ARGV: worker, most entries, milliseconds after which a holder is dead, deliveries from which an entry comes alone.
"""

_CLAIM = "redis.call('XCLAIM', KEYS[1], 'workers', unpack(ARGV))"

_SETTLE = """
redis.call('XACK', KEYS[1], 'workers', unpack(ARGV))
redis.call('XDEL', KEYS[1], unpack(ARGV))
"""

_BURY = """
for i = 4, #ARGV, 3 do
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[1], '*',
    'id', ARGV[i], 'e', ARGV[i + 1], 'deliveries', ARGV[i + 2], 'reason', ARGV[2], 'at', ARGV[3])
  redis.call('XACK', KEYS[1], 'workers', ARGV[i])
  redis.call('XDEL', KEYS[1], ARGV[i])
end
"""

_BACKLOG = """
local pending = redis.pcall('XPENDING', KEYS[1], 'workers')
local oldest = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)
return {
  redis.call('XLEN', KEYS[1]), not pending.err and pending[4] or {}, oldest[1] and oldest[1][1] or '',
  redis.call('XLEN', KEYS[2])
}
"""


class RedisEventQueue:
    """The EventQueue of one shop. Safe to share between threads.

    Args:
        keys: the shop's.
        client: has a time-out for writing, not for serving.
        idle_s: see IDLE_S.
    """

    def __init__(self, keys: Keys, client: RedisClient, idle_s: float = IDLE_S) -> None:
        self._keys = keys
        self._client = client
        self._idle_s = idle_s

    def join(self) -> None:
        """See `EventQueue.join`."""
        self._client.evaluate(_JOIN, [self._keys.events], int(IDLE_WORKER_S * 1000))

    def take(self, worker: str, most: int = MOST_ENTRIES) -> list[Entry]:
        """See `EventQueue.take`."""
        idle_ms = int(self._idle_s * 1000)
        found = self._client.evaluate(_TAKE, [self._keys.events], worker, most, idle_ms, SUSPICIOUS_DELIVERIES)
        return [Entry(entry_id.decode(), _field(fields, b"e"), deliveries) for entry_id, fields, deliveries in found]

    def settle(self, entry_ids: Collection[str]) -> None:
        """See `EventQueue.settle`."""
        if entry_ids:
            self._client.evaluate(_SETTLE, [self._keys.events], *entry_ids)

    def excuse(self, worker: str, entry_ids: Collection[str]) -> None:
        """See `EventQueue.excuse`."""
        if entry_ids:
            claim: tuple[Argument, ...] = (worker, 0, *entry_ids, "RETRYCOUNT", 0, "JUSTID")
            self._client.evaluate(_CLAIM, [self._keys.events], *claim)

    def bury(self, entries: Sequence[Entry], reason: str, at: datetime) -> None:
        """See `EventQueue.bury`."""
        described = [part for entry in entries for part in (entry.entry_id, entry.wire, entry.deliveries)]
        if entries:
            keys = [self._keys.events, self._keys.dead_events]
            self._client.evaluate(_BURY, keys, MOST_DEAD_LETTERS, reason, at.isoformat(), *described)

    def erased(self, customer_ids: Collection[str]) -> frozenset[str]:
        """See `EventQueue.erased`."""
        asked = list(customer_ids)
        if not asked:
            return frozenset()
        digests = [digest_of_person(customer_id, None) for customer_id in asked]
        found = self._client.call("HMGET", self._keys.erased, *digests)
        return frozenset(one for one, since in zip(asked, found, strict=True) if since is not None)

    def backlog(self) -> Backlog:
        """See `EventQueue.backlog`."""
        keys = [self._keys.events, self._keys.dead_events]
        waiting, pending, oldest, dead = self._client.evaluate(_BACKLOG, keys)
        in_hand = {worker.decode(): int(count) for worker, count in pending}
        return Backlog(waiting, in_hand, oldest.decode() or None, dead)

    def dead_letters(self) -> list[DeadLetter]:
        """See `EventQueue.dead_letters`."""
        found = self._client.evaluate("return redis.call('XRANGE', KEYS[1], '-', '+')", [self._keys.dead_events])
        return [_to_dead_letter(fields) for _, fields in found]


def _field(fields: Sequence[bytes], name: bytes) -> bytes:
    """One field of an entry, whose names and values alternate; empty where it is not there."""
    return dict(zip(fields[::2], fields[1::2], strict=True)).get(name, b"")


def _to_dead_letter(fields: Sequence[bytes]) -> DeadLetter:
    entry = Entry(_field(fields, b"id").decode(), _field(fields, b"e"), int(_field(fields, b"deliveries")))
    return DeadLetter(entry, _field(fields, b"reason").decode(), _field(fields, b"at").decode())
