-- Makes the group of workers where there is none, and removes workers that were idle for long and hold no entry.
-- KEYS: waiting events (stream)
-- ARGV: milliseconds after which an idle worker is removed

redis.pcall('XGROUP', 'CREATE', KEYS[1], 'workers', '0', 'MKSTREAM')
for _, worker in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], 'workers')) do
  if worker[4] == 0 and worker[6] > tonumber(ARGV[1]) then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], 'workers', worker[2])
  end
end
