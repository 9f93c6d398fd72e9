-- Reads what a shop's jobs are doing.
-- KEYS: waiting events (stream), all pick jobs (sorted set), figures (hash)
-- ARGV: key of a pick job up to the digest of its campaign, most jobs that are looked at
-- Answer: milliseconds since each worker was heard of, names and values of figures, states of the latest jobs, `failed`
--   of one that cannot be read

local idle, states = {}, {}
local workers = redis.pcall('XINFO', 'CONSUMERS', KEYS[1], 'workers')
for _, worker in ipairs(workers.err and {} or workers) do
  idle[#idle + 1] = worker[6]
end
for _, campaign in ipairs(redis.call('ZREVRANGE', KEYS[2], 0, ARGV[2] - 1)) do
  local text = redis.call('GET', ARGV[1] .. campaign)
  if text then
    local readable, state = pcall(function()
      local job = cjson.decode(text)
      return job.failure ~= cjson.null and 'failed' or job.blocks_done == job.blocks and 'done' or
        job.blocks_done > 0 and 'running' or 'waiting'
    end)
    states[#states + 1] = readable and state or 'failed'
  end
end
return {idle, redis.call('HGETALL', KEYS[3]), states}
