-- Deletes entries that are archived.
-- KEYS: waiting events (stream)
-- ARGV: their ids

redis.call('XACK', KEYS[1], 'workers', unpack(ARGV))
redis.call('XDEL', KEYS[1], unpack(ARGV))
