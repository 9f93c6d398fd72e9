-- Reads all dead letters. A script, since redis-py would change the answer.
-- KEYS: dead letters (stream)
-- Answer: id and fields of each

return redis.call('XRANGE', KEYS[1], '-', '+')
