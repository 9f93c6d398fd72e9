-- Reads the marks and contacts of customers, and when each ordered last.
-- Begins with: contacts/last_order.
-- KEYS: erased customers (hash), then marks (hash), contacts (hash) and orders (list) of each customer
-- ARGV: digest of each customer
-- Answer: for each customer whether it was erased, marks, contacts, the last order or false; or, where a customer's
--   contacts cannot be read, their key

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
