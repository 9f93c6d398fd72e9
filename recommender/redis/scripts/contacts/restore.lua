-- Finds marks and erasures that are not known here, as after a loss of data, and writes the marks if that is wanted.
-- Begins with: event_log/memory.
-- KEYS: erased customers (hash), then the marks (hash) of each entry's customer
-- ARGV: `write` or nothing, then for each entry the digest of its customer, the mark or `erased`, its moment
-- Answer: numbers of the entries that were not known, from 0

local unknown, write = {}, ARGV[1] == 'write'
if write then write_even_if_full(KEYS[1]) end
for i = 2, #KEYS do
  local person, mark, at = unpack(ARGV, 3 * i - 4, 3 * i - 2)
  if redis.call('HEXISTS', KEYS[1], person) == 0 then
    local known = mark ~= 'erased' and tonumber(redis.call('HGET', KEYS[i], mark) or '')
    if not known or known < tonumber(at) then
      unknown[#unknown + 1] = i - 2
      if write and mark ~= 'erased' then redis.call('HSET', KEYS[i], mark, at) end
    end
  end
end
return unknown
