-- Accepts events: each is in the stream and in its person's recent activity, or in neither.
-- Begins with: contacts/mails.
-- KEYS: waiting events (stream), erased customers (hash)
-- ARGV: most waiting events, seconds that an event id is known, most recent events of a person, then for each event the
--   key of its id, the digest of its customer or nothing, the part of its person that it changes or nothing, the key of
--   that part, what the part keeps of it (a moment or a contact's value, or else seconds), under which name, its JSON
-- Answer: for each event 0 where it is accepted, 1 where it is known, 2 where its customer was erased; false where too
--   many wait, and none is accepted

local bound, seen_s, most = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])
if redis.call('XLEN', KEYS[1]) + (#ARGV - 3) / 7 > bound then return false end
local verdicts = {}
for i = 4, #ARGV, 7 do
  local seen, customer, part, person, kept, name, wire = unpack(ARGV, i, i + 6)
  local verdict = 0
  if customer ~= '' and redis.call('HEXISTS', KEYS[2], customer) == 1 then
    verdict = 2
  elseif not redis.call('SET', seen, 1, 'NX', 'EX', seen_s) then
    verdict = 1
  else
    redis.call('XADD', KEYS[1], '*', 'e', wire)
    if part == 'hidden' then
      redis.call('SADD', person, name)
    elseif part == 'standing' then
      if (tonumber(redis.call('HGET', person, name) or 0) or 0) <= tonumber(kept) then
        redis.call('HSET', person, name, kept)
      end
    elseif part == 'mails' then
      add_sent(person, name, kept)
    elseif part ~= '' then
      redis.call('LPUSH', person, wire)
      redis.call('LTRIM', person, 0, most - 1)
      redis.call('EXPIRE', person, kept)
    end
  end
  verdicts[#verdicts + 1] = verdict
end
return verdicts
