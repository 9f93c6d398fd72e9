-- Hands entries to a worker: its own pending ones, or else those of workers that died, or else new ones. XAUTOCLAIM
-- would not say how often an entry was delivered. A pending entry that was deleted is acknowledged: Redis 6.2 does not
-- do so.
-- KEYS: waiting events (stream)
-- ARGV: the worker, most entries, milliseconds after which a holder is dead, deliveries from which an entry comes alone
-- Answer: for each entry its id, its fields, how often it was delivered

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
