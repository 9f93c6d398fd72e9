"""The governor's rules on the server: what decides whether a mail may be sent enters it in the same step.

Moments are in microseconds since 1970, which the server's numbers hold exactly until the year 2255.
"""

import hashlib

from recommender.retention import KEPT_S
from recommender.storage.contacts import MOST_MAILS, MOST_PRODUCTS

KEEP_MAIL = (
    f"local kept_s, most_mails, most_products = {KEPT_S['mails']}, {MOST_MAILS}, {MOST_PRODUCTS}\n"
    """
local function count_mails(key)
  local times, found = {}, redis.call('HGETALL', key)
  for i = 1, #found, 2 do
    local at, sent_at = string.match(found[i + 1], '^(%-?%d+),(%d+)')
    times[found[i]] = math.max(at, sent_at)
  end
  return times
end
local function keep_mail(key, times, contact, mail, at)
  local left, oldest = 0, nil
  times[contact] = nil
  for one, time in pairs(times) do
    if time <= at - kept_s * 1000000 then
      redis.call('HDEL', key, one)
    else
      left = left + 1
      if not oldest or time < times[oldest] then oldest = one end
    end
  end
  if left >= most_mails then redis.call('HDEL', key, oldest) end
  redis.call('HSET', key, contact, mail)
  redis.call('EXPIRE', key, kept_s)
end
local function add_sent(key, contact, mail)
  local at, sent_at, product = string.match(mail, '^(%d+),(%d+)(.*)$')
  local before, times, products = redis.call('HGET', key, contact), count_mails(key), product
  if before then
    local known
    at, known, products = string.match(before, '^(%-?%d+),(%d+)(.*)$')
    if tonumber(known) > tonumber(sent_at) then sent_at = known end
    local _, n_products = string.gsub(products, ',"', '')
    if n_products < most_products and not string.find(products, product, 1, true) then
      products = products .. product
    end
  end
  keep_mail(key, times, contact, at .. ',' .. sent_at .. products, math.max(at, sent_at))
end
"""
)
"""How a contact is kept beside those there are; and one that was sent, which a campaign may have claimed before.

A quotation mark in a product id is escaped: `,"` is always the beginning of one, so products can be found and counted.
"""

LAST_ORDER = """
local function to_us(text)
  local y, m, d, hour, minute, second, rest = string.match(text, '^(%d+)-(%d+)-(%d+)T(%d+):(%d+):(%d+)(.*)$')
  local fraction, sign, ahead_h, ahead_m = string.match(rest, '^%.?(%d*)Z?([+-]?)(%d*):?(%d*)$')
  if tonumber(m) <= 2 then y = y - 1 end
  local days = y * 365 + math.floor(y / 4) - math.floor(y / 100) + math.floor(y / 400)
    + math.floor((153 * ((m + 9) % 12) + 2) / 5) + d - 719469
  local ahead_s = sign == '' and 0 or (sign .. 1) * (ahead_h * 3600 + ahead_m * 60)
  return (days * 86400 + hour * 3600 + minute * 60 + second - ahead_s) * 1000000
    + string.sub(fraction .. '000000', 1, 6)
end
local function last_order(key)
  local last = nil
  for _, wire in ipairs(redis.call('LRANGE', key, 0, -1)) do
    local good, at = pcall(function()
      local event = cjson.decode(wire)
      return event.event_type == 'purchase' and to_us(event.occurred_at)
    end)
    if good and at and (not last or at > last) then last = at end
  end
  return last
end
"""
"""When the last purchase at hand was, in microseconds since 1970; what cannot be read is none, as on the pages.

Days are counted from the first of March, so that the leap day comes last.
"""

CLAIM = (
    KEEP_MAIL
    + LAST_ORDER
    + """
local most, needs_consent = tonumber(ARGV[1]), ARGV[2] == 'required'
local order_us, complaint_us, week_us = tonumber(ARGV[3]), tonumber(ARGV[4]), 604800000000
local function number(text) return text and assert(tonumber(string.match(text, '^%d+$'))) end
local function holds(said, unsaid) return said and (not unsaid or said >= unsaid) end
local function is_quiet(at, since, us) return us > 0 and since and at < since + us end
local function is_too_often(at, times)
  local near = {at}
  for _, time in pairs(times) do
    if math.abs(time - at) < week_us then near[#near + 1] = time end
  end
  table.sort(near)
  for i = 1, #near - most do
    if near[i] <= at and near[i + most] >= at and near[i + most] - near[i] < week_us then return true end
  end
  return false
end
local function decide(standing, mails, orders, person, contact, at, ordered_at)
  if redis.call('HEXISTS', KEYS[1], person) == 1 then return 'erased' end
  local said = redis.call('HMGET', standing, 'subscribe', 'unsubscribe', 'mail_bounce', 'mail_complaint')
  local subscribed_at, times = number(said[1]), count_mails(mails)
  if holds(number(said[2]), subscribed_at) then return 'unsubscribed' end
  if holds(number(said[3]), subscribed_at) then return 'bounced' end
  if needs_consent and not subscribed_at then return 'no_consent' end
  if is_quiet(at, number(said[4]), complaint_us) then return 'quiet_after_complaint' end
  if times[contact] then return '' end
  if is_quiet(at, tonumber(ordered_at), order_us) or is_quiet(at, last_order(orders), order_us) then
    return 'quiet_after_order'
  end
  if is_too_often(at, times) then return 'too_often' end
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
"""
)
"""`recommender.storage.contacts.refusal`, on the server, and the entry of what it lets pass.

KEYS: erased, then standing, mails and orders of each claim's customer. ARGV: most mails a week, consent, quiet
microseconds after an order and after a complaint, then for each claim the digest of the customer, the contact and its
wire form, the last order or nothing, and the moment. Returns a refusal or nothing for each; or, where a customer's
contacts cannot be read, the key of them, and no mail to that customer or those behind.
"""
CLAIM_DIGEST = hashlib.sha1(CLAIM.encode(), usedforsecurity=False).hexdigest()

STANDINGS = (
    LAST_ORDER
    + """
local function read(standing, mails, orders, person)
  local last = last_order(orders)
  return {
    redis.call('HEXISTS', KEYS[1], person), redis.call('HGETALL', standing), redis.call('HGETALL', mails),
    last and string.format('%.0f', last) or false
  }
end
local found = {}
for i, person in ipairs(ARGV) do
  local standing, mails, orders = unpack(KEYS, 3 * i - 1, 3 * i + 1)
  local good, answer = pcall(read, standing, mails, orders, person)
  if not good then return mails end
  found[i] = answer
end
return found
"""
)
"""KEYS as for a claim. ARGV: digest of each customer."""
STANDINGS_DIGEST = hashlib.sha1(STANDINGS.encode(), usedforsecurity=False).hexdigest()

RELEASE = """
local mail = redis.call('HGET', KEYS[1], ARGV[1])
if mail and (string.match(mail, '^%-?%d+,0,') or string.match(mail, '^%-?%d+,0$')) then
  redis.call('HDEL', KEYS[1], ARGV[1])
end
"""
