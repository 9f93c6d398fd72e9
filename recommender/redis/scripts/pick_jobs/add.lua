-- Adds a job, unless its campaign has one.
-- KEYS: all jobs (sorted set), the job (string)
-- ARGV: digest of the campaign, the job's JSON, seconds that it is kept, its score
-- Answer: the job that is kept

if redis.call('SET', KEYS[2], ARGV[2], 'NX', 'EX', ARGV[3]) then redis.call('ZADD', KEYS[1], ARGV[4], ARGV[1]) end
return redis.call('GET', KEYS[2])
