-- Writes a stream again, without its deleted entries: their text is kept until their neighbours are deleted, too.
-- Entries that wait are archived in a moment, but dead letters stay.
-- KEYS: the stream

local left = redis.call('XRANGE', KEYS[1], '-', '+')
redis.call('DEL', KEYS[1])
for _, entry in ipairs(left) do redis.call('XADD', KEYS[1], entry[1], unpack(entry[2])) end
