-- Renews the lock of a publish.
-- KEYS: the lock (string)
-- ARGV: the holder's token, milliseconds that it lasts
-- Answer: 1 where it is renewed, 0 where it is lost

if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
