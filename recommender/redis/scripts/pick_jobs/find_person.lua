-- Looks whether a job has picks for a customer. The rows stay on the server: of many customers they are megabytes.
-- KEYS: the job (string), its rows (hash), each block with the digests of its customers in the first line
-- ARGV: digest of the customer
-- Answer: the job's JSON where it has, else false

for _, block in ipairs(redis.call('HKEYS', KEYS[2])) do
  local people = string.match(redis.call('HGET', KEYS[2], block), '^[^\n]*')
  if string.find(people, ARGV[1], 1, true) then return redis.call('GET', KEYS[1]) end
end
return false
