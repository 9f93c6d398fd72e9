-- Reads the product overrides that changed after a number.
-- KEYS: the shop's overrides (hash), number of the last change (string), changed product ids (list), a version's
--   `similar` lists (hash), which hold each of its products
-- ARGV: number of the last known change, most changes to read
-- Answer: product ids, number and overrides of each, whether the version holds each; false where the log is too short

local behind = tonumber(redis.call('GET', KEYS[2]) or 0) - tonumber(ARGV[1])
local first = redis.call('LLEN', KEYS[3]) - behind
if first < 0 then return false end
local products = redis.call('LRANGE', KEYS[3], first, first + tonumber(ARGV[2]) - 1)
local kept = #products > 0 and redis.call('HMGET', KEYS[1], unpack(products)) or {}
local known = {}
for i, product in ipairs(products) do known[i] = redis.call('HEXISTS', KEYS[4], product) end
return {products, kept, known}
