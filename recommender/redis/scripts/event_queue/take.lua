-- Hands entries to a worker: its own pending ones, or else those of workers that died, or else new ones. XAUTOCLAIM
-- would not say how often an entry was delivered. A pending entry that was deleted is acknowledged: Redis 6.2 does not
-- do so.
-- KEYS: waiting events (stream)
-- ARGV: the worker, most entries, milliseconds after which a holder is dead, deliveries from which a batch gets smaller,
--   by which factor each time
-- Answer: for each entry its id, its fields, how often it was delivered

local stream, worker, most, idle_ms, often, factor = KEYS[1], ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5]
local function claim(pending, idle)
  local least = math.huge
  for _, one in ipairs(pending) do least = math.min(least, one[4]) end
  local room = math.max(1, math.floor(most / factor ^ math.max(0, least - often + 1)))
  local ids, times = {}, {}
  for _, one in ipairs(pending) do
    if one[4] < math.max(often, least + 1) and #ids < room then
      ids[#ids + 1] = one[1]
      times[one[1]] = one[4] + 1
    end
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
