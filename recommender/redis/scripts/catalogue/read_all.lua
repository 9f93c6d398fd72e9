-- Reads all product overrides, some at a time.
-- KEYS: the shop's overrides (hash), a version's `similar` lists (hash), which hold each of its products
-- ARGV: cursor of HSCAN, about how many to read
-- Answer: product ids, number and overrides of each, whether the version holds each, the next cursor

local answer = redis.call('HSCAN', KEYS[1], ARGV[1], 'COUNT', ARGV[2])
local products, kept, known = {}, {}, {}
for i = 1, #answer[2], 2 do
  products[#products + 1], kept[#kept + 1] = answer[2][i], answer[2][i + 1]
  known[#known + 1] = redis.call('HEXISTS', KEYS[2], answer[2][i])
end
return {products, kept, known, answer[1]}
