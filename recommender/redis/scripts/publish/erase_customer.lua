-- Deletes a customer from the lists and profiles of all ready versions. The publish of a version that is being written
-- looks after that one. The keys of parts follow from the states of the versions.
-- Begins with: event_log/memory.
-- KEYS: erased customers (hash), states of the versions (hash)
-- ARGV: digest of the customer, the moment or nothing where the customer is marked as erased, the customer, key of a
--   part up to the version, key of the profiles after it, bytes of a profile without its id, key of each list after the
--   version
-- Answer: how many lists were deleted

local digest, at, customer, head, profiles, record = unpack(ARGV)
write_even_if_full(KEYS[1])
if at ~= '' then redis.call('HSETNX', KEYS[1], digest, at) end
local function drop_profile(key)
  local n_blocks = redis.call('HLEN', key)
  local block = n_blocks > 0 and tonumber(string.sub(digest, 1, 8), 16) % n_blocks
  local wire, first = block and redis.call('HGET', key, block) or '', 1
  while first < #wire do
    local last = first + 1 + struct.unpack('<I2', wire, first)
    if string.sub(wire, first + 2, last) == customer then
      redis.call('HSET', key, block, string.sub(wire, 1, first - 1) .. string.sub(wire, last + 1 + record))
      return
    end
    first = last + 1 + record
  end
end

local removed = 0
for _, version in ipairs(redis.call('HKEYS', KEYS[2])) do
  if redis.call('HGET', KEYS[2], version) == 'ready' then
    for i = 7, #ARGV do removed = removed + redis.call('HDEL', head .. version .. ARGV[i], customer) end
    drop_profile(head .. version .. profiles)
  end
end

return removed
