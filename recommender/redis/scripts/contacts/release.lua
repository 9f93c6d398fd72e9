-- Deletes contacts that were claimed and of which no event said that they were sent.
-- KEYS: the contacts (hash) of each customer
-- ARGV: the contact
-- Answer: how many were deleted

local deleted = 0
for _, key in ipairs(KEYS) do
  local mail = redis.call('HGET', key, ARGV[1])
  if mail and (string.match(mail, '^%-?%d+,0,') or string.match(mail, '^%-?%d+,0$')) then
    deleted = deleted + redis.call('HDEL', key, ARGV[1])
  end
end
return deleted
