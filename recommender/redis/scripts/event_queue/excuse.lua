-- Claims entries for a worker. A script, since redis-py cannot read the answer.
-- KEYS: waiting events (stream)
-- ARGV: the arguments of XCLAIM after its group

redis.call('XCLAIM', KEYS[1], 'workers', unpack(ARGV))
