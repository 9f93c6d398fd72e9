-- Finds products of a version.
-- KEYS: the version's indices (hash), its products (hash)
-- ARGV: product ids
-- Answer: JSON of each; false where the version does not hold it

local found = {}
for i, product in ipairs(ARGV) do
  local index = redis.call('HGET', KEYS[1], product)
  found[i] = index and redis.call('HGET', KEYS[2], index)
end
return found
