-- Accepts events: each is in the stream and in its person's recent activity, or in neither.
-- Begins with: contacts/mails, event_log/memory.
-- KEYS: waiting events (stream), erased customers (hash)
-- ARGV: most waiting events, seconds that an event id is known, most recent events of a person, `reader` where readers
--   say this themselves on our pages, the moment of the request, then for each event the key of its id, the digest of its
--   customer or nothing, the part of its person that it changes or nothing, the key of that part, what the part keeps of
--   it (a moment or a contact's value, or else seconds), under which name, whether it must be kept however full it is
--   here, its JSON
-- Answer: `waiting` or `memory` where too much is there and only what must be kept was, or nothing; for each event 0
--   where it is accepted, 1 where it is known, 2 where its customer was erased, 3 where it is refused; and for each the
--   moment of its mark, 0 where it has none

local bound, seen_s, most, by_reader = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3]), ARGV[4] == 'reader'
local first, step, load, time = 6, 8, '', redis.call('TIME')
-- several services may write here: one whose clock is behind makes nothing older
local now = math.max(tonumber(ARGV[5]), time[1] * 1000000 + time[2])
write_even_if_full(KEYS[2])
if redis.call('XLEN', KEYS[1]) + (#ARGV - first + 1) / step > bound then load = 'waiting' end
if is_short_of_memory() then load = 'memory' end

local function mark_of(person, name) return tonumber(redis.call('HGET', person, name) or 0) or 0 end

-- Moves a mark forward, to now at most. What a reader says wins over all that came before it, whatever clocks say.
local function move_mark(person, name, at)
  at = by_reader and math.max(now, mark_of(person, 'subscribe')) or math.min(at, now)
  if at > mark_of(person, name) then redis.call('HSET', person, name, string.format('%.0f', at)) end
end

local function keep(part, person, kept, name, wire)
  if part == 'standing' then
    move_mark(person, name, tonumber(kept))
  elseif part == 'hidden' then
    redis.call('SADD', person, name)
  elseif part == 'mails' then
    add_sent(person, name, kept)
  elseif part ~= '' then
    redis.call('LPUSH', person, wire)
    redis.call('LTRIM', person, 0, most - 1)
    redis.call('EXPIRE', person, kept)
  end
end

local verdicts, marks = {}, {}
for i = first, #ARGV, step do
  local seen, customer, part, person, kept, name, must, wire = unpack(ARGV, i, i + step - 1)
  local verdict, mark = 0, 0
  if customer ~= '' and redis.call('HEXISTS', KEYS[2], customer) == 1 then
    verdict = 2
  elseif load ~= '' and must == '0' then
    verdict = 3
  elseif not redis.call('SET', seen, 1, 'NX', 'EX', seen_s) then
    verdict = 1
  else
    redis.call('XADD', KEYS[1], '*', 'e', wire)
  end
  if verdict == 0 or verdict == 1 and by_reader then keep(part, person, kept, name, wire) end
  if verdict < 2 and part == 'standing' then mark = mark_of(person, name) end
  verdicts[#verdicts + 1], marks[#marks + 1] = verdict, mark
end
return {load, verdicts, marks}
