-- Saves one block of a job, if the worker still holds the lease and no customer of the block was erased.
-- KEYS: the job (string), its lease (string), its rows (hash), its tries (string), erased customers (hash)
-- ARGV: the worker, the job's JSON, number of the block, its rows, seconds that the job is kept, seconds of the lease,
--   digest of each customer of the block
-- Answer: 1 where it is saved, else 0

if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
for i = 7, #ARGV do
  if redis.call('HEXISTS', KEYS[5], ARGV[i]) == 1 then return 0 end
end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[5])
redis.call('HSET', KEYS[3], ARGV[3], ARGV[4])
redis.call('EXPIRE', KEYS[3], ARGV[5])
redis.call('EXPIRE', KEYS[2], ARGV[6])
redis.call('DEL', KEYS[4])
return 1
