-- Keeps what a campaign decided about a block of customers in place of what is kept of it, and the sums over all blocks.
-- KEYS: blocks (hash), sums (hash)
-- ARGV: the block, JSON of variant -> (`selected` or reason -> customers), seconds that both are kept

local function add(text, sign)
  for variant, counts in pairs(cjson.decode(text)) do
    for name, n in pairs(counts) do redis.call('HINCRBY', KEYS[2], variant .. ' ' .. name, sign * n) end
  end
end

local before = redis.call('HGET', KEYS[1], ARGV[1])
if before then add(before, -1) end
add(ARGV[2], 1)
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
for i = 1, 2 do redis.call('EXPIRE', KEYS[i], ARGV[3]) end
