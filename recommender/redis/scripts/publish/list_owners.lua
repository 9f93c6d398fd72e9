-- Lists some owners of a hash of lists; the lists stay where they are.
-- KEYS: the lists (hash)
-- ARGV: where to go on, how many to look at
-- Answer: where to go on, and owners

local found, owners = redis.call('HSCAN', KEYS[1], ARGV[1], 'COUNT', ARGV[2]), {}
for i = 1, #found[2], 2 do owners[#owners + 1] = found[2][i] end
return {found[1], owners}
