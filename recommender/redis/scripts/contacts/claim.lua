-- Decides whether each mail may be sent, and enters it in the same step: `recommender.storage.contacts.refusal` in Lua.
-- Begins with: contacts/mails, contacts/last_order. Constants: week_us, fewer_us, the microseconds of a week, and in which who wants
--   fewer mails gets one.
-- KEYS: erased customers (hash), then marks (hash), contacts (hash) and orders (list) of each claim's customer
-- ARGV: most mails a week, `required` where consent is, quiet microseconds after an order and after a complaint, then
--   for each claim the digest of its customer, the contact, its value, the last order or nothing, and the moment
-- Answer: a refusal or nothing for each claim; or, where a customer's contacts cannot be read, their key, and no
--   contact is entered for that customer or those behind

local most, needs_consent = tonumber(ARGV[1]), ARGV[2] == 'required'
local order_us, complaint_us = tonumber(ARGV[3]), tonumber(ARGV[4])
local function number(text) return text and assert(tonumber(string.match(text, '^%d+$'))) end
local function holds(since, revoked) return since and (not revoked or since >= revoked) end
local function is_quiet(at, since, us) return us > 0 and since and at < since + us end
local function is_too_often(at, times, span_us, most)
  local near = {at}
  for _, time in pairs(times) do
    if math.abs(time - at) < span_us then near[#near + 1] = time end
  end
  table.sort(near)
  for i = 1, #near - most do
    if near[i] <= at and near[i + most] >= at and near[i + most] - near[i] < span_us then return true end
  end
  return false
end

local function decide(standing, mails, orders, person, contact, at, ordered_at)
  if redis.call('HEXISTS', KEYS[1], person) == 1 then return 'erased' end
  local marks = redis.call('HMGET', standing, 'subscribe', 'unsubscribe', 'mail_bounce', 'mail_complaint', 'fewer_mails')
  local subscribed_at, times = number(marks[1]), count_mails(mails)
  if holds(number(marks[2]), subscribed_at) then return 'unsubscribed' end
  if holds(number(marks[3]), subscribed_at) then return 'bounced' end
  if needs_consent and not subscribed_at then return 'no_consent' end
  if is_quiet(at, number(marks[4]), complaint_us) then return 'quiet_after_complaint' end
  if times[contact] then return '' end
  if is_quiet(at, tonumber(ordered_at), order_us) or is_quiet(at, last_order(orders), order_us) then
    return 'quiet_after_order'
  end
  if holds(number(marks[5]), subscribed_at) and is_too_often(at, times, fewer_us, 1) then return 'wants_fewer' end
  if is_too_often(at, times, week_us, most) then return 'too_often' end
  return '', times
end

local answers, first_key = {}, 2
for i = 5, #ARGV, 5 do
  local person, contact, mail, ordered_at, at = unpack(ARGV, i, i + 4)
  local standing, mails, orders = unpack(KEYS, first_key, first_key + 2)
  local good, answer, times = pcall(decide, standing, mails, orders, person, contact, tonumber(at), ordered_at)
  if not good then return mails end
  if times then keep_mail(mails, times, contact, mail, tonumber(at)) end
  answers[#answers + 1], first_key = answer, first_key + 3
end

return answers
