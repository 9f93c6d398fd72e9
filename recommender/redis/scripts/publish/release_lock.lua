-- Releases the lock of a publish, if it is still held.
-- KEYS: the lock (string)
-- ARGV: the holder's token

if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
