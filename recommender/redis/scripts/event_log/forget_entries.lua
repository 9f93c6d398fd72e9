-- Deletes entries of a stream whose text holds one of some strings.
-- KEYS: the stream
-- ARGV: first entry to look at, most entries, the strings
-- Answer: how many were deleted, how many were looked at, the last of these

local found = redis.call('XRANGE', KEYS[1], ARGV[1], '+', 'COUNT', ARGV[2])
local removed = 0
for _, entry in ipairs(found) do
  local wire = table.concat(entry[2], ' ')
  for i = 3, #ARGV do
    if string.find(wire, ARGV[i], 1, true) then
      redis.pcall('XACK', KEYS[1], 'workers', entry[1])
      removed = removed + redis.call('XDEL', KEYS[1], entry[1])
      break
    end
  end
end
return {removed, #found, #found > 0 and found[#found][1]}
