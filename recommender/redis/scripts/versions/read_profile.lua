-- Reads the block of profiles that holds a customer, of a version or else the current one. Its key follows from the
-- version.
-- KEYS: the current version (string), states of the versions (hash)
-- ARGV: key of the profiles up to and after the version, the wanted version or nothing, first digits of the customer's
--   digest
-- Answer: the block; false for none

local version = ARGV[3]
if redis.call('HGET', KEYS[2], version) ~= 'ready' then version = redis.call('GET', KEYS[1]) end
local key = version and ARGV[1] .. version .. ARGV[2]
local n_blocks = key and redis.call('HLEN', key) or 0
return n_blocks > 0 and redis.call('HGET', key, tonumber(ARGV[4], 16) % n_blocks)
