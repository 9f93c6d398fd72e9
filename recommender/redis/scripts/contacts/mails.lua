-- Functions that keep a contact in a customer's hash of them: contact -> `claimed at,sent at,products` (see
-- `recommender.storage.contact_marks`). Moments are in microseconds since 1970, exact until the year 2255.
-- Constants: kept_s, seconds that a contact is kept; most_mails, most_products, how many are kept of each.

-- The moment that counts of each contact. They are read once in a script, also where it keeps a thousand of a customer:
-- with their products they can be megabytes.
local counted = {}
local function count_mails(key)
  if counted[key] then return counted[key] end
  local times, found = {}, redis.call('HGETALL', key)
  for i = 1, #found, 2 do
    local at, sent_at = string.match(found[i + 1], '^(%-?%d+),(%d+)')
    times[found[i]] = math.max(at, sent_at)
  end
  counted[key] = times
  return times
end

-- Keeps a contact, and drops those that are too old or too many; `times` as count_mails gives them.
local function keep_mail(key, times, contact, mail, at)
  local left, oldest = 0, nil
  times[contact] = nil
  for one, time in pairs(times) do
    if time <= at - kept_s * 1000000 then
      redis.call('HDEL', key, one)
      times[one] = nil
    else
      left = left + 1
      if not oldest or time < times[oldest] then oldest = one end
    end
  end
  if left >= most_mails then
    redis.call('HDEL', key, oldest)
    times[oldest] = nil
  end
  redis.call('HSET', key, contact, mail)
  times[contact] = at
  redis.call('EXPIRE', key, kept_s)
end

-- `gsub` would copy all of them.
local function count_products(products)
  local n, last = 0, string.find(products, ',"', 1, true)
  while last do
    n, last = n + 1, string.find(products, ',"', last + 1, true)
  end
  return n
end

-- Keeps a contact that was sent, which a campaign may have claimed before. A quotation mark in a product id is escaped:
-- `,"` is always the beginning of one, so products can be found and counted.
local function add_sent(key, contact, mail)
  local at, sent_at, product = string.match(mail, '^(%d+),(%d+)(.*)$')
  local before, times, products = redis.call('HGET', key, contact), count_mails(key), product
  if before then
    local known
    at, known, products = string.match(before, '^(%-?%d+),(%d+)(.*)$')
    if tonumber(known) > tonumber(sent_at) then sent_at = known end
    if count_products(products) < most_products and not string.find(products, product, 1, true) then
      products = products .. product
    end
  end
  keep_mail(key, times, contact, at .. ',' .. sent_at .. products, math.max(at, sent_at))
end
