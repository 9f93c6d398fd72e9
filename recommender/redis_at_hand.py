"""Reads what is at hand of a person in Redis, as a part of the one script that reads an answer's lists."""

from collections.abc import Sequence
from typing import Any

from recommender.at_hand import LEADS, MOST_READ, NEIGHBOURS, AtHand
from recommender.person import decode_id
from recommender.publication import RANKED, RECORD_BYTES, ListKey, PublishedList

_LIMITS = f"local most, list_bytes = {LEADS}, {1 + NEIGHBOURS * RANKED.itemsize}\n" + "".join(
    f"local last_{part} = {most - 1}\n" for part, most in MOST_READ.items()
)
READ_PERSON = (
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
"""What is at hand of a person, with the lists that the products in it lead to: all in one trip, see `AtHand`."""


_NOTHING = AtHand([], [], [])


def to_list(key: ListKey, wire: bytes) -> PublishedList:
    """Raises ValueError where `wire` cannot be what `ListTable.encode` wrote."""
    published = PublishedList(key.name, wire)
    if not wire or (len(wire) - 1) % RECORD_BYTES[key.name]:
        raise ValueError(f"{len(wire)} bytes are no list")
    _ = published.basis
    return published


def to_at_hand(answer: Sequence[Any] | None) -> AtHand:
    """What `read_person` returned, nothing of most. Raises as decoding does where somebody else wrote nonsense."""
    if answer is None:
        return _NOTHING
    orders, session, shown, hidden, folded, ids, found, neighbours = answer
    return AtHand(
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
