-- Changes product overrides. Each change is kept, numbered and logged, or none of it: what changes nothing has no
-- number.
-- KEYS: the shop's overrides (hash), number of the last change (string), changed product ids (list)
-- ARGV: most changes to log, most products, then for each change its product id, `put`, `patch` or `delete`, and its JSON
-- Answer: the overrides of each product after its change; false for none; nothing changes, and false is the answer, where
--   something would be said of too many products

local found = {}
local function merge(before, patch)
  local good, fields = pcall(cjson.decode, before or '{}')
  fields = good and type(fields) == 'table' and fields or {}
  local changed = not before
  for name, value in pairs(cjson.decode(patch)) do
    if value == cjson.null then value = nil end
    changed = changed or fields[name] ~= value
    fields[name] = value
  end
  return changed and cjson.encode(fields) or before
end

local room = tonumber(ARGV[2]) - redis.call('HLEN', KEYS[1])
if room < (#ARGV - 2) / 3 then
  for i = 3, #ARGV, 3 do
    if ARGV[i + 1] ~= 'delete' and redis.call('HEXISTS', KEYS[1], ARGV[i]) == 0 then room = room - 1 end
    if room < 0 then return false end
  end
end

for i = 3, #ARGV, 3 do
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
