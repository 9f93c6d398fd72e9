-- Keeps a campaign as it began, unless it is kept already.
-- KEYS: the campaign (string)
-- ARGV: its JSON, seconds that it is kept
-- Answer: the campaign that is kept

redis.call('SET', KEYS[1], ARGV[1], 'NX', 'EX', ARGV[2])
return redis.call('GET', KEYS[1])
