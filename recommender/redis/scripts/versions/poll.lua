-- Reads what workers follow.
-- KEYS: the current version (string), states of the versions (hash), placements (hash), erased customers (hash), numbers
--   of the last changes of product overrides and of placements (strings)
-- ARGV: number of the change of placements that the caller knows, nothing for none
-- Answer: the current version or false, its state, how many customers were erased, the numbers, placements where theirs
--   differs from the known one, else false

local version = redis.call('GET', KEYS[1])
local state = version and redis.call('HGET', KEYS[2], version)
local changes = tonumber(redis.call('GET', KEYS[5]) or 0)
local placed = redis.call('GET', KEYS[6]) or '0'
return {version, state, redis.call('HLEN', KEYS[4]), changes, placed,
  placed ~= ARGV[1] and redis.call('HGETALL', KEYS[3])}
