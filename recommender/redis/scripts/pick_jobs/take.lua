-- Leases the oldest unfinished job that no other worker holds. The keys of jobs, leases and tries follow from the sorted
-- set. A job that cannot be read is passed over, until it is no longer kept.
-- KEYS: all jobs (sorted set)
-- ARGV: key of a job, of a lease and of its tries up to the digest of its campaign, the worker, seconds of the lease,
--   seconds that tries are kept, then digests of campaigns to pass over
-- Answer: digest of its campaign, the job's JSON, how often it was taken since a block of it was saved; false for none

local passed_over = {}
for i = 7, #ARGV do
  passed_over[ARGV[i]] = true
  if redis.call('GET', ARGV[2] .. ARGV[i]) == ARGV[4] then redis.call('DEL', ARGV[2] .. ARGV[i]) end
end
for _, campaign in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  local text, lease = redis.call('GET', ARGV[1] .. campaign), ARGV[2] .. campaign
  if not text then
    redis.call('ZREM', KEYS[1], campaign)
  elseif not passed_over[campaign] then
    local readable, left = pcall(function()
      local job = cjson.decode(text)
      return job.failure == cjson.null and job.blocks_done < job.blocks
    end)
    if readable and left and
      (redis.call('GET', lease) == ARGV[4] or redis.call('SET', lease, ARGV[4], 'NX', 'EX', ARGV[5])) then
      redis.call('EXPIRE', lease, ARGV[5])
      local tries = redis.call('INCR', ARGV[3] .. campaign)
      redis.call('EXPIRE', ARGV[3] .. campaign, ARGV[6])
      return {campaign, text, tries}
    end
  end
end
return false
