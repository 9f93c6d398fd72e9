-- Sets a placement and numbers the change, unless the shop would have too many or too much text in them.
-- KEYS: placements (hash), number of the last change of them (string)
-- ARGV: the placement's name, its JSON, most placements, most bytes of all, and where it may only replace what the
--   caller knows: that JSON, empty for none
-- Answer: 1; 0 where there would be too many, 2 where something else stands there

local name, json, most, most_bytes = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
if ARGV[5] and ARGV[5] ~= (redis.call('HGET', KEYS[1], name) or '') then return 2 end
local names = redis.call('HKEYS', KEYS[1])
local left, n_bytes = most, most_bytes - #json
for _, other in ipairs(names) do
  if other ~= name then
    left, n_bytes = left - 1, n_bytes - redis.call('HSTRLEN', KEYS[1], other)
    if left < 1 or n_bytes < 0 then return 0 end
  end
end
if n_bytes < 0 then return 0 end
redis.call('HSET', KEYS[1], name, json)
redis.call('INCR', KEYS[2])
return 1
