-- Lets all that a worker has in hand count as handed out just now, for the first time. A script, since redis-py cannot
-- read the answer.
-- KEYS: waiting events (stream)
-- ARGV: the worker, most entries that it may have in hand

local ids = {}
for _, one in ipairs(redis.call('XPENDING', KEYS[1], 'workers', '-', '+', ARGV[2], ARGV[1])) do ids[#ids + 1] = one[1] end
if #ids == 0 then return end
local last = #ids
for _, word in ipairs({'RETRYCOUNT', 0, 'JUSTID'}) do ids[#ids + 1] = word end
redis.call('XCLAIM', KEYS[1], 'workers', ARGV[1], 0, unpack(ids))
return last
