-- Marks a version as ready and makes it the current one.
-- KEYS: the lock of the publish (string), states of the versions (hash), the current version (string)
-- ARGV: the holder's token, the version
-- Answer: 1; 0 where the lock is lost

if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[2], ARGV[2], 'ready')
redis.call('SET', KEYS[3], ARGV[2])
return 1
