-- Mixed load of a shop: pages, events, links of mails and mistakes. Arguments after `--`: mean pause of a connection in
-- ms, and a file of signed mail links, one a line.
local pause_ms
local links = {}
local N_PRODUCTS, N_CUSTOMERS, BATCH = 10000, 100000, 10
local threads = {}

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
    pick(N_PRODUCTS), pick(N_PRODUCTS), pick(N_CUSTOMERS)))
end

local function event(kind)
  return string.format(
    '{"event_id":"e%d-%d","event_type":"%s","customer_id":"c%d","product_id":"p%d","occurred_at":"%s"%s}',
    math.random(1e9), math.random(1e9), kind, pick(N_CUSTOMERS), pick(N_PRODUCTS), os.date("!%Y-%m-%dT%H:%M:%SZ"),
    kind == "purchase" and ',"quantity":1,"order_id":"o' .. math.random(1e9) .. '"' or "")
end

local function events()
  return post("/v1/events", '{"events":[' .. event("view") .. "," .. event("add_to_cart") .. "," .. event("purchase") .. "]}")
end

local READER = { ["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36" }
local function mail(path) return wrk.format("GET", "/v1/m/" .. links[math.random(#links)] .. path, READER) end

-- share of all requests, what to send
local mix = {
  { 0.26, function() return wrk.format("GET", "/v1/products/p" .. pick(N_PRODUCTS) .. "/similar") end },
  { 0.10, function() return wrk.format("GET", "/v1/products/p" .. pick(N_PRODUCTS) .. "/bought-together?exclude=x" .. math.random(1e9)) end },
  { 0.10, function() return wrk.format("GET", "/v1/popular?category=Category%20" .. math.random(0, 99)) end },
  { 0.20, function() return wrk.format("GET", personal()) end },
  { 0.05, function() return wrk.format("GET", "/v1/customers/c" .. pick(N_CUSTOMERS) .. "/buy-again?due_within=14d") end },
  { 0.05, session },
  { 0.01, batch },
  { 0.04, events },
  { 0.02, function() return mail("/" .. math.random(4) .. "/click") end },
  { 0.02, function() return mail("/" .. math.random(4) .. "/image") end },
  { 0.005, function() return mail("/unsubscribe") end },
  -- from here on: mistakes
  { 0.04, function() return wrk.format("GET", "/v1/products/nope-" .. math.random(1e9) .. "/similar") end },
  { 0.04, function() return wrk.format("GET", "/v1/customers/nobody-" .. math.random(1e9) .. "/recommendations") end },
  { 0.02, function() return wrk.format("GET", "/v1/popular?limit=abc") end },
  { 0.01, function() return wrk.format("GET", "/v1/nope/" .. math.random(1e9)) end },
  { 0.03, function() return post("/v1/recommendations", '{"placement":"cart","cart":[' ) end },
}

function setup(thread) table.insert(threads, thread) end

function init(args)
  pause_ms = tonumber(args[1])
  math.randomseed(os.time())
  for line in io.lines(args[2]) do table.insert(links, line) end
  counts = {}
end

function delay() return math.floor(-pause_ms * math.log(1 - math.random()) + 0.5) end

function request()
  local at = math.random()
  for _, part in ipairs(mix) do
    at = at - part[1]
    if at < 0 then return part[2]() end
  end
  return mix[1][2]()
end

function response(status, _, body)
  local name = tostring(status)
  if status >= 500 then name = name .. " " .. (string.match(body, '"code": ?"([%w_]+)"') or "?") end
  counts[name] = (counts[name] or 0) + 1
end

function done(summary, latency)
  local statuses = {}
  for _, thread in ipairs(threads) do
    for name, n in pairs(thread:get("counts")) do table.insert(statuses, string.format('"%s": %d', name, n)) end
  end
  local errors = summary.errors
  print(string.format(
    '{"requests_per_s": %.1f, "p50_us": %d, "p99_us": %d, "statuses": {%s}, "n_broken": %d}',
    summary.requests / summary.duration * 1e6, latency:percentile(50), latency:percentile(99), table.concat(statuses, ", "),
    errors.connect + errors.read + errors.write + errors.timeout))
end
