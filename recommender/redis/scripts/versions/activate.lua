-- Makes a ready version the current one.
-- KEYS: states of the versions (hash), the current version (string)
-- ARGV: the version
-- Answer: 1; 0 where it is not ready

if redis.call('HGET', KEYS[1], ARGV[1]) ~= 'ready' then return 0 end
redis.call('SET', KEYS[2], ARGV[1])
return 1
