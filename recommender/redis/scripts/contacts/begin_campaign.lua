-- Keeps a campaign as it began, unless it is kept already.
-- KEYS: the campaign (string), ids of all campaigns (sorted set)
-- ARGV: its JSON, seconds that it is kept, its id, when it began in seconds since 1970
-- Answer: the campaign that is kept

if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'EX', ARGV[2]) then
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', ARGV[4] - ARGV[2])
  redis.call('ZADD', KEYS[2], ARGV[4], ARGV[3])
end
return redis.call('GET', KEYS[1])
