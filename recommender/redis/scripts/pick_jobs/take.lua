-- Leases the oldest unfinished job that no other worker holds. The keys of jobs and leases follow from the sorted set.
-- KEYS: all jobs (sorted set)
-- ARGV: key of a job and of a lease up to the digest of its campaign, the worker, seconds of the lease
-- Answer: the job's JSON; false for none

for _, campaign in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  local text, lease = redis.call('GET', ARGV[1] .. campaign), ARGV[2] .. campaign
  local job = text and cjson.decode(text)
  if not job then
    redis.call('ZREM', KEYS[1], campaign)
  elseif job.failure == cjson.null and job.blocks_done < job.blocks and
    (redis.call('GET', lease) == ARGV[3] or redis.call('SET', lease, ARGV[3], 'NX', 'EX', ARGV[4])) then
    redis.call('EXPIRE', lease, ARGV[4])
    return text
  end
end
return false
