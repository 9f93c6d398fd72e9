-- Restarts a job, if it is still kept: it frees memory before it takes any.
-- KEYS: the job (string), its lease (string), its rows (hash)
-- ARGV: the job's JSON as it began, seconds that it is kept

redis.call('DEL', KEYS[2], KEYS[3])
redis.call('SET', KEYS[1], ARGV[1], 'XX', 'EX', ARGV[2])
