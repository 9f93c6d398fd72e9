-- Finds marks and erasures that are not known here, as after a loss of data, and writes the marks if that is wanted.
-- Begins with: event_log/memory. Constant: standing_s, seconds that marks are kept which are no objection: one that is
--   older may have ended here, and is not lost.
-- KEYS: erased customers (hash), then the marks (hash) of each entry's customer
-- ARGV: `write` or nothing, then for each entry the digest of its customer, the mark or `erased`, its moment
-- Answer: numbers of the entries that were not known, from 0

local unknown, write = {}, ARGV[1] == 'write'
local now = tonumber(redis.call('TIME')[1])
if write then write_even_if_full(KEYS[1]) end

local function write_mark(person, name, at)
  redis.call('HSET', person, name, at)
  local left = at / 1000000 + standing_s - now
  local objected = redis.call('HMGET', person, 'unsubscribe', 'mail_bounce', 'mail_complaint')
  if objected[1] or objected[2] or objected[3] then
    redis.call('PERSIST', person)
  elseif redis.call('TTL', person) < left then
    redis.call('EXPIRE', person, math.ceil(left))
  end
end

for i = 2, #KEYS do
  local person, mark, at = unpack(ARGV, 3 * i - 4, 3 * i - 2)
  local ended = (mark == 'subscribe' or mark == 'fewer_mails') and at / 1000000 + standing_s <= now
  if not ended and redis.call('HEXISTS', KEYS[1], person) == 0 then
    local known = mark ~= 'erased' and tonumber(redis.call('HGET', KEYS[i], mark) or '')
    if not known or known < tonumber(at) then
      unknown[#unknown + 1] = i - 2
      if write and mark ~= 'erased' then write_mark(KEYS[i], mark, at) end
    end
  end
end
return unknown
