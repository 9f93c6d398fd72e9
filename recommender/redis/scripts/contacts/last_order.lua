-- Functions that find a customer's last order among recent events, in microseconds since 1970.
-- Constant: day_s, seconds of a day.

-- Microseconds of a moment in ISO-8601. Days are counted from the first of March, so that the leap day comes last.
local function to_us(text)
  local y, m, d, hour, minute, second, rest = string.match(text, '^(%d+)-(%d+)-(%d+)T(%d+):(%d+):(%d+)(.*)$')
  local fraction, sign, ahead_h, ahead_m = string.match(rest, '^%.?(%d*)Z?([+-]?)(%d*):?(%d*)$')
  if tonumber(m) <= 2 then y = y - 1 end
  local days = y * 365 + math.floor(y / 4) - math.floor(y / 100) + math.floor(y / 400)
    + math.floor((153 * ((m + 9) % 12) + 2) / 5) + d - 719469
  local ahead_s = sign == '' and 0 or (sign .. 1) * (ahead_h * 3600 + ahead_m * 60)
  return (days * day_s + hour * 3600 + minute * 60 + second - ahead_s) * 1000000
    + string.sub(fraction .. '000000', 1, 6)
end

-- The last purchase in a list of events, nil for none; an event that cannot be read is left out.
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
