-- Moves entries to the dead letters.
-- KEYS: waiting events (stream), dead letters (stream)
-- ARGV: about how many dead letters to keep, the reason, the moment, then id, id when it was accepted,
--   JSON and deliveries of each entry

for i = 4, #ARGV, 4 do
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[1], '*',
    'id', ARGV[i + 1], 'e', ARGV[i + 2], 'deliveries', ARGV[i + 3], 'reason', ARGV[2], 'at', ARGV[3])
  redis.call('XACK', KEYS[1], 'workers', ARGV[i])
  redis.call('XDEL', KEYS[1], ARGV[i])
end
