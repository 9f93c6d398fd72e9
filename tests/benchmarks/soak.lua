-- Mixed load of a shop: pages, mails and mistakes. Argument after `--`: mean pause of a connection in ms.
local pause_ms
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

-- share of all requests, what to send
local mix = {
  { 0.35, function() return wrk.format("GET", "/v1/products/p" .. pick(N_PRODUCTS) .. "/similar") end },
  { 0.10, function() return wrk.format("GET", "/v1/products/p" .. pick(N_PRODUCTS) .. "/bought-together?exclude=x" .. math.random(1e9)) end },
  { 0.10, function() return wrk.format("GET", "/v1/popular?category=Category%20" .. math.random(0, 99)) end },
  { 0.20, function() return wrk.format("GET", personal()) end },
  { 0.05, function() return wrk.format("GET", "/v1/customers/c" .. pick(N_CUSTOMERS) .. "/buy-again?due_within=14d") end },
  { 0.05, session },
  { 0.01, batch },
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
  n_2xx, n_4xx, n_5xx = 0, 0, 0
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

function response(status)
  if status >= 500 then n_5xx = n_5xx + 1
  elseif status >= 400 then n_4xx = n_4xx + 1
  else n_2xx = n_2xx + 1 end
end

function done(summary, latency)
  local ok, wrong, failed = 0, 0, 0
  for _, thread in ipairs(threads) do
    ok, wrong, failed = ok + thread:get("n_2xx"), wrong + thread:get("n_4xx"), failed + thread:get("n_5xx")
  end
  local errors = summary.errors
  print(string.format(
    '{"requests_per_s": %.1f, "p50_us": %d, "p99_us": %d, "n_2xx": %d, "n_4xx": %d, "n_5xx": %d, "n_broken": %d}',
    summary.requests / summary.duration * 1e6, latency:percentile(50), latency:percentile(99), ok, wrong, failed,
    errors.connect + errors.read + errors.write + errors.timeout))
end
