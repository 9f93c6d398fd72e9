-- Mixed load of a shop: pages, events, links of mails and mistakes. Arguments after `--`: mean pause of a connection in
-- ms, a file of signed mail links, one a line, the number of products, and of the events of a request. Wants one
-- connection a thread: an answer is to its last request.
local ffi = require("ffi")
ffi.cdef("typedef struct { long s, ns; } moment; int clock_gettime(int clock, moment *found);")
local CLOCK_MONOTONIC, STEPS = 1, 20 -- steps of the histogram per factor e: 5 %
local N_CUSTOMERS, BATCH = 100000, 10
local MOST_FAILURES = 20
local pause_ms, n_products, n_events
local KINDS = { "view", "add_to_cart", "purchase" }
local links = {}
local threads = {}
local clock = ffi.new("moment")

local function now_us()
  ffi.C.clock_gettime(CLOCK_MONOTONIC, clock)
  return tonumber(clock.s) * 1e6 + tonumber(clock.ns) / 1e3
end

local function pick(n) return math.floor(n ^ math.random()) - 1 end
local function post(path, body) return wrk.format("POST", path, { ["Content-Type"] = "application/json" }, body) end
local function personal() return "/v1/customers/c" .. pick(N_CUSTOMERS) .. "/recommendations?limit=" .. math.random(1, 30) end

local function batch()
  local requests = {}
  for i = 1, BATCH do requests[i] = '{"path":"' .. personal() .. '"}' end
  return post("/v1/batch", '{"requests":[' .. table.concat(requests, ",") .. "]}")
end

local function session()
  return post("/v1/recommendations", string.format(
    '{"placement":"cart","cart":["p%d","p%d"],"customer_id":"c%d"}',
    pick(n_products), pick(n_products), pick(N_CUSTOMERS)))
end

local function event(kind)
  return string.format(
    '{"event_id":"e%d-%d","event_type":"%s","customer_id":"c%d","product_id":"p%d","occurred_at":"%s"%s}',
    math.random(1e9), math.random(1e9), kind, pick(N_CUSTOMERS), pick(n_products), os.date("!%Y-%m-%dT%H:%M:%SZ"),
    kind == "purchase" and ',"quantity":1,"order_id":"o' .. math.random(1e9) .. '"' or "")
end

local function events()
  local some = {}
  for i = 1, n_events do some[i] = event(KINDS[i % 3 + 1]) end
  return post("/v1/events", '{"events":[' .. table.concat(some, ",") .. "]}")
end

local READER = { ["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36" }
local function mail(path) return wrk.format("GET", "/v1/m/" .. links[math.random(#links)] .. path, READER) end

-- share of all requests, how they are called, what to send
local mix = {
  { 0.26, "similar", function() return wrk.format("GET", "/v1/products/p" .. pick(n_products) .. "/similar") end },
  { 0.10, "bought-together", function() return wrk.format("GET", "/v1/products/p" .. pick(n_products) .. "/bought-together?exclude=x" .. math.random(1e9)) end },
  { 0.10, "popular", function() return wrk.format("GET", "/v1/popular?category=Category%20" .. math.random(0, 99)) end },
  { 0.20, "recommendations", function() return wrk.format("GET", personal()) end },
  { 0.05, "buy-again", function() return wrk.format("GET", "/v1/customers/c" .. pick(N_CUSTOMERS) .. "/buy-again?due_within=14d") end },
  { 0.05, "session", session },
  { 0.01, "batch", batch },
  { 0.04, "events", events },
  { 0.02, "mail click", function() return mail("/" .. math.random(4) .. "/click") end },
  { 0.02, "mail image", function() return mail("/" .. math.random(4) .. "/image") end },
  { 0.005, "mail unsubscribe", function() return mail("/unsubscribe") end },
  -- from here on: mistakes
  { 0.04, "unknown product", function() return wrk.format("GET", "/v1/products/nope-" .. math.random(1e9) .. "/similar") end },
  { 0.04, "unknown customer", function() return wrk.format("GET", "/v1/customers/nobody-" .. math.random(1e9) .. "/recommendations") end },
  { 0.02, "bad limit", function() return wrk.format("GET", "/v1/popular?limit=abc") end },
  { 0.01, "unknown route", function() return wrk.format("GET", "/v1/nope/" .. math.random(1e9)) end },
  { 0.03, "bad body", function() return post("/v1/recommendations", '{"placement":"cart","cart":[') end },
}

function setup(thread)
  table.insert(threads, thread)
  thread:set("number", #threads)
end

function init(args)
  pause_ms, n_products, n_events = tonumber(args[1]), tonumber(args[3]), tonumber(args[4])
  math.randomseed(os.time() * 1000 + number)
  for line in io.lines(args[2]) do table.insert(links, line) end
  counts, failures, times, n_sent, began_us = {}, {}, {}, 0, now_us()
end

function delay() return math.floor(-pause_ms * math.log(1 - math.random()) + 0.5) end

local kind, sent_us, answered

local function fail(what)
  if #failures < MOST_FAILURES then
    table.insert(failures, string.format("%.1f s: %s", (now_us() - began_us) / 1e6, what))
  end
end

local function count(what) counts[what] = (counts[what] or 0) + 1 end

local function choose()
  local at = math.random()
  for _, part in ipairs(mix) do
    at = at - part[1]
    if at < 0 then return part end
  end
  return mix[1]
end

function request()
  if answered == false and n_sent > 1 then -- wrk makes the first one up to look at it
    count(kind .. "|broken")
    fail(kind .. " broken")
  end
  local part = choose()
  local made = part[3]()
  kind, sent_us, answered, n_sent = part[2], now_us(), false, n_sent + 1
  return made
end

function response(status, _, body)
  answered = true
  local name = tostring(status)
  if status >= 500 then
    name = name .. " " .. (string.match(body, '"code": ?"([%w_]+)"') or "?")
    fail(kind .. " " .. name)
  end
  count(kind .. "|" .. name)
  local step = kind .. "|" .. math.floor(math.log(math.max(now_us() - sent_us, 1)) * STEPS)
  times[step] = (times[step] or 0) + 1
end

local function gathered(name)
  local sums, parts = {}, {}
  for _, thread in ipairs(threads) do
    for key, n in pairs(thread:get(name)) do sums[key] = (sums[key] or 0) + n end
  end
  for key, n in pairs(sums) do table.insert(parts, string.format('"%s": %d', key, n)) end
  return "{" .. table.concat(parts, ", ") .. "}"
end

function done(summary, latency)
  local failed = {}
  for _, thread in ipairs(threads) do
    for _, what in ipairs(thread:get("failures")) do table.insert(failed, '"' .. what .. '"') end
  end
  local errors = summary.errors
  print(string.format(
    '{"requests_per_s": %.1f, "p50_us": %d, "p99_us": %d, "counts": %s, "times": %s, "failures": [%s], "n_broken": %d}',
    summary.requests / summary.duration * 1e6, latency:percentile(50), latency:percentile(99),
    gathered("counts"), gathered("times"), table.concat(failed, ", "),
    errors.connect + errors.read + errors.write + errors.timeout))
end
