-- Reads what workers follow.
-- KEYS: the current version (string), states of the versions (hash), placements (hash), erased customers (hash), number
--   of the last change of product overrides (string)
-- Answer: the current version or false, its state, placements, how many customers were erased, the number

local version = redis.call('GET', KEYS[1])
local state = version and redis.call('HGET', KEYS[2], version)
local changes = tonumber(redis.call('GET', KEYS[5]) or 0)
return {version, state, redis.call('HGETALL', KEYS[3]), redis.call('HLEN', KEYS[4]), changes}
