-- Begins with: contacts/mails, event_log/memory. Constants: most_hidden, most_marks, how many are kept of a person,
--   most_shown_a_day, how many impressions of one day are; looked_at, how many marks are looked at for an old one;
--   standing_s, seconds that marks are kept which are no objection; browser_percent, of maxmemory, that is open to what
--   browsers say.
-- KEYS: waiting events (stream), erased customers (hash)
-- ARGV: most waiting events, seconds that an event id is known, most recent events of a person, who tells of them
--   (`shop`, `service`, `browser` or `reader`), the moment of the request, then for each event the key of its id or
--   nothing where nobody repeats it, the digest of its customer or nothing, the part of its person that it changes or
--   nothing, the key of that part, a key without which the part stays as it is or nothing, what the part keeps of it (a
--   moment or a contact's value, or else seconds), under which name (of what was shown: its JSON there), whether it must
--   be kept however full it is here, its JSON
-- Answer: `waiting` or `memory` where too much is there and only what must be kept was, or nothing; for each event 0
--   where it is accepted, 1 where it is known, 2 where its customer was erased, 3 where it is refused; and for each the
--   moment of its mark, 0 where it has none

local bound, seen_s, most, by_reader = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3]), ARGV[4] == 'reader'
local first, step, load, time = 6, 9, '', redis.call('TIME')
-- several services may write here: one whose clock is behind makes nothing older
local now = math.max(tonumber(ARGV[5]), time[1] * 1000000 + time[2])
write_even_if_full(KEYS[2])
if redis.call('XLEN', KEYS[1]) + (#ARGV - first + 1) / step > bound then load = 'waiting' end
if is_short_of_memory(ARGV[4] == 'browser' and browser_percent or nil) then load = 'memory' end

local function mark_of(person, name) return tonumber(redis.call('HGET', person, name) or 0) or 0 end

-- Of some that chance names: to look at all, for each event of a request, would stop the server for seconds.
local function drop_old_subscription(person)
  local marks, oldest, at = redis.call('HRANDFIELD', person, looked_at, 'WITHVALUES'), nil, nil
  for i = 1, #marks, 2 do
    local since = string.find(marks[i], 'subscription_', 1, true) == 1 and (tonumber(marks[i + 1]) or 0)
    if since and (not at or since < at) then oldest, at = marks[i], since end
  end
  if oldest then redis.call('HDEL', person, oldest) end
end

local function write_mark(person, name, at)
  if redis.call('HLEN', person) >= most_marks and redis.call('HEXISTS', person, name) == 0 then
    drop_old_subscription(person)
  end
  redis.call('HSET', person, name, string.format('%.0f', at))
  local objected = redis.call('HMGET', person, 'unsubscribe', 'mail_bounce', 'mail_complaint')
  if objected[1] or objected[2] or objected[3] then
    redis.call('PERSIST', person)
  else
    redis.call('EXPIRE', person, standing_s)
  end
end

-- Moves a mark forward, to now at most. What a reader says wins over all that came before it, whatever clocks say; of
-- two marks of the same moment `subscribe` is the weaker.
local function move_mark(person, name, at)
  if not by_reader then
    at = math.min(at, now)
  elseif name == 'subscribe' then
    at = math.max(now, mark_of(person, 'unsubscribe') + 1, mark_of(person, 'fewer_mails') + 1)
  else
    at = math.max(now, mark_of(person, 'subscribe'))
  end
  if at > mark_of(person, name) then write_mark(person, name, at) end
end

local function hide(person, name, seconds)
  if redis.call('SISMEMBER', person, name) == 0 and redis.call('SCARD', person) >= most_hidden then
    redis.call('SPOP', person)
  end
  redis.call('SADD', person, name)
  redis.call('EXPIRE', person, seconds)
end

-- Whether an impression changes nothing: the product is kept for its day, with which the JSON begins, or the day is full.
local function was_shown(person, wire)
  local until_day_ends = select(2, string.find(wire, '{"event_id":"[^"]*"'))
  local last_of_full_day = redis.call('LINDEX', person, most_shown_a_day - 1) or ''
  return string.sub(last_of_full_day, 1, until_day_ends) == string.sub(wire, 1, until_day_ends)
    or redis.call('LPOS', person, wire)
end

local function push(person, wire, seconds)
  redis.call('LPUSH', person, wire)
  redis.call('LTRIM', person, 0, most - 1)
  redis.call('EXPIRE', person, seconds)
end

local function keep(part, person, kept, name, wire)
  if part == 'standing' then
    move_mark(person, name, tonumber(kept))
  elseif part == 'hidden' then
    hide(person, name, kept)
  elseif part == 'mails' then
    add_sent(person, name, kept)
  elseif part == 'shown' then
    if not was_shown(person, name) then push(person, name, kept) end
  elseif part ~= '' then
    push(person, wire, kept)
  end
end

local verdicts, marks = {}, {}
for i = first, #ARGV, step do
  local seen, customer, part, person, beside, kept, name, must, wire = unpack(ARGV, i, i + step - 1)
  local verdict, mark = 0, 0
  if customer ~= '' and redis.call('HEXISTS', KEYS[2], customer) == 1 then
    verdict = 2
  elseif load ~= '' and must == '0' then
    verdict = 3
  elseif seen ~= '' and not redis.call('SET', seen, 1, 'NX', 'EX', seen_s) then
    verdict = 1
  else
    redis.call('XADD', KEYS[1], '*', 'e', wire)
  end
  if beside ~= '' and redis.call('EXISTS', beside) == 0 then part = '' end
  if verdict == 0 or verdict == 1 and by_reader then keep(part, person, kept, name, wire) end
  if verdict < 2 and part == 'standing' then mark = mark_of(person, name) end
  verdicts[#verdicts + 1], marks[#marks + 1] = verdict, mark
end
return {load, verdicts, marks}
