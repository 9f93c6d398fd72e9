-- Functions that read a person's recent activity, and in the same trip the lists of the products that it leads to (see
-- `recommender.events.recent.RecentActivity`).
-- Constants: leads, most products of a kind whose lists are read; list_bytes, bytes read of each of these lists;
--   last_orders, last_session, last_shown, the last event that is read of each.

-- Events that can be read.
local function decode(wires)
  local events = {}
  for i = 1, #wires do
    local good, event = pcall(cjson.decode, wires[i])
    if good and type(event) == 'table' and type(event.product_id) == 'string' then events[#events + 1] = event end
  end
  return events
end

-- Products of the latest events whose type is in `counts`: with true it counts for its product, with false against it.
local function latest(events, counts)
  local decided, found = {}, {}
  for _, event in ipairs(events) do
    local count, product = counts[event.event_type], event.product_id
    if count ~= nil and not decided[product] and #found < leads then
      decided[product] = true
      if count then found[#found + 1] = product end
    end
  end
  return found
end

-- What is kept under the five keys from KEYS[first]; false for nothing.
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
