-- Moves dead letters back to the waiting events, with the id under which each was accepted.
-- KEYS: waiting events (stream), dead letters (stream)
-- ARGV: ids of dead letters
-- Answer: how many of them were still there

local moved = 0
for _, id in ipairs(ARGV) do
  local letter = redis.call('XRANGE', KEYS[2], id, id)[1]
  if letter then
    local fields = {}
    for i = 1, #letter[2], 2 do fields[letter[2][i]] = letter[2][i + 1] end
    redis.call('XADD', KEYS[1], '*', 'e', fields.e or '', 'id', fields.id or '')
    moved = moved + redis.call('XDEL', KEYS[2], id)
  end
end
return moved
