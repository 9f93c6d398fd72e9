-- Deletes a version and its state, unless it is the current one.
-- KEYS: the current version (string), states of the versions (hash), each part of the version
-- ARGV: the version

if redis.call('GET', KEYS[1]) == ARGV[1] then return end
redis.call('UNLINK', unpack(KEYS, 3))
redis.call('HDEL', KEYS[2], ARGV[1])
