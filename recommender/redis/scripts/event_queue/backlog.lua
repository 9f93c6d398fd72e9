-- Counts waiting entries and dead letters.
-- KEYS: waiting events (stream), dead letters (stream)
-- Answer: waiting entries, pending ones of each worker, id of the oldest or an empty text, dead letters

local pending = redis.pcall('XPENDING', KEYS[1], 'workers')
local oldest = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)
return {
  redis.call('XLEN', KEYS[1]), not pending.err and pending[4] or {}, oldest[1] and oldest[1][1] or '',
  redis.call('XLEN', KEYS[2])
}
