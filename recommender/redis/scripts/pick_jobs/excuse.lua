-- Forgets how often the jobs were taken that a worker holds.
-- KEYS: all jobs (sorted set)
-- ARGV: key of a lease and of the tries up to the digest of its campaign, the worker

for _, campaign in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  if redis.call('GET', ARGV[1] .. campaign) == ARGV[3] then redis.call('DEL', ARGV[2] .. campaign) end
end
