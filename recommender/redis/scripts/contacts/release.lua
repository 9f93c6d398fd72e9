-- Deletes a contact that was claimed and of which no event said that it was sent.
-- KEYS: the customer's contacts (hash)
-- ARGV: the contact

local mail = redis.call('HGET', KEYS[1], ARGV[1])
if mail and (string.match(mail, '^%-?%d+,0,') or string.match(mail, '^%-?%d+,0$')) then
  redis.call('HDEL', KEYS[1], ARGV[1])
end
