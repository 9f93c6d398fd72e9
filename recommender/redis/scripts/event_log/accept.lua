-- Accepts events: each is in the stream and in its person's recent activity, or in neither.
-- Begins with: contacts/mails. Constants: most_hidden, most_marks, how many are kept of a person; standing_s, seconds
--   that marks are kept which are no objection.
-- KEYS: waiting events (stream), erased customers (hash)
-- ARGV: most waiting events, seconds that an event id is known, most recent events of a person, then for each event the
--   key of its id or nothing where nobody repeats it, the digest of its customer or nothing, the part of its person that
--   it changes or nothing, the key of that part, a key without which the part stays as it is or nothing, what the part
--   keeps of it (a moment or a contact's value, or else seconds), under which name (of what was shown: its JSON there),
--   its JSON
-- Answer: for each event 0 where it is accepted, 1 where it is known, 2 where its customer was erased; false where too
--   many wait, and none is accepted

local function drop_oldest_subscription(person)
  local marks, oldest, at = redis.call('HGETALL', person), nil, nil
  for i = 1, #marks, 2 do
    local since = string.find(marks[i], 'subscription_', 1, true) == 1 and (tonumber(marks[i + 1]) or 0)
    if since and (not at or since < at) then oldest, at = marks[i], since end
  end
  if oldest then redis.call('HDEL', person, oldest) end
end

local function mark(person, name, at)
  if redis.call('HLEN', person) >= most_marks and redis.call('HEXISTS', person, name) == 0 then
    drop_oldest_subscription(person)
  end
  redis.call('HSET', person, name, at)
  local objected = redis.call('HMGET', person, 'unsubscribe', 'mail_bounce', 'mail_complaint')
  if objected[1] or objected[2] or objected[3] then
    redis.call('PERSIST', person)
  else
    redis.call('EXPIRE', person, standing_s)
  end
end

local bound, seen_s, most = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])
if redis.call('XLEN', KEYS[1]) + (#ARGV - 3) / 8 > bound then return false end
local verdicts = {}
for i = 4, #ARGV, 8 do
  local seen, customer, part, person, beside, kept, name, wire = unpack(ARGV, i, i + 7)
  local verdict = 0
  if customer ~= '' and redis.call('HEXISTS', KEYS[2], customer) == 1 then
    verdict = 2
  elseif seen ~= '' and not redis.call('SET', seen, 1, 'NX', 'EX', seen_s) then
    verdict = 1
  else
    redis.call('XADD', KEYS[1], '*', 'e', wire)
    if beside ~= '' and redis.call('EXISTS', beside) == 0 then part = '' end
    if part == 'hidden' then
      if redis.call('SISMEMBER', person, name) == 0 and redis.call('SCARD', person) >= most_hidden then
        redis.call('SPOP', person)
      end
      redis.call('SADD', person, name)
      redis.call('EXPIRE', person, kept)
    elseif part == 'standing' then
      if (tonumber(redis.call('HGET', person, name) or 0) or 0) <= tonumber(kept) then mark(person, name, kept) end
    elseif part == 'mails' then
      add_sent(person, name, kept)
    elseif part ~= '' then
      redis.call('LPUSH', person, part == 'shown' and name or wire)
      redis.call('LTRIM', person, 0, most - 1)
      redis.call('EXPIRE', person, kept)
    end
  end
  verdicts[#verdicts + 1] = verdict
end
return verdicts
