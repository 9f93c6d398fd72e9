-- Requests with varying ids. Arguments after `--`: route, distribution of ids (skewed, uniform), mean pause in ms.
local route, distribution, pause_ms
local N_PRODUCTS, N_CUSTOMERS, N_KEPT, BATCH, EVENTS = 10000, 100000, 1000, 20, 250
local sent, ACTIVE = 0, 1000
local now = os.date("!%Y-%m-%dT%H:%M:%SZ")

local function pick(n)
  -- the logarithm of the rank is uniform: Zipf's law with exponent 1
  if distribution == "skewed" then return math.floor(n ^ math.random()) - 1 end
  return math.random(0, n - 1)
end

-- A parameter that makes a request unlike all others, so that no answer is kept for it.
local function unlike_others()
  sent = sent + 1
  return "?exclude=x" .. sent .. "-" .. math.random(0, 999999)
end

local function similar() return "/v1/products/p" .. pick(N_PRODUCTS) .. "/similar" end
local function recommendations() return "/v1/customers/c" .. pick(N_CUSTOMERS) .. "/recommendations" end

local function post(path, body) return wrk.format("POST", path, { ["Content-Type"] = "application/json" }, body) end

local paths = {
  ["bare similar"] = function() return "/similar" end,
  ["bare personal"] = function() return "/personal" end,
  ["similar"] = similar,
  ["similar, kept"] = function() return "/v1/products/p" .. pick(N_KEPT) .. "/similar" end,
  ["similar, never kept"] = function() return similar() .. unlike_others() end,
  ["recommendations"] = recommendations,
  ["recommendations, 56 events"] = function()
    return "/v1/customers/c" .. N_CUSTOMERS - 1 - pick(ACTIVE) .. "/recommendations" .. unlike_others()
  end,
  ["buy-again"] = function() return "/v1/customers/c" .. pick(N_CUSTOMERS) .. "/buy-again" end,
}

local function batch()
  local requests = {}
  for i = 1, BATCH do requests[i] = '{"path":"' .. recommendations() .. '"}' end
  return post("/v1/batch", '{"requests":[' .. table.concat(requests, ",") .. "]}")
end

local EVENT = '{"event_id":"%d-%d-%d","event_type":"%s","customer_id":"x%d","product_id":"p%d","occurred_at":"%s",'
  .. '"unit_price":12.9}'

-- New events of customers who have no lists: what the other routes answer stays as it is.
local function events(path)
  local batch, run = {}, math.random(0, 2 ^ 31)
  for i = 1, EVENTS do
    local kind = i % 3 == 0 and "view" or "purchase"
    batch[i] = string.format(EVENT, run, sent, i, kind, pick(N_CUSTOMERS), pick(N_PRODUCTS), now)
  end
  sent = sent + 1
  return post(path, '{"events":[' .. table.concat(batch, ",") .. "]}")
end

function init(args)
  route, distribution, pause_ms = args[1], args[2], tonumber(args[3])
  math.randomseed(os.time())
  if pause_ms > 0 then
    -- exponential pauses: requests come at random moments
    delay = function() return math.floor(-pause_ms * math.log(1 - math.random()) + 0.5) end
  end
end

function request()
  if route == "batch of 20" then return batch() end
  if route == "250 events" then return events("/v1/events") end
  if route == "bare 250 events" then return events("/events") end
  return wrk.format("GET", paths[route]())
end

function done(summary, latency)
  local errors = summary.errors
  print(string.format(
    '{"requests_per_s": %.1f, "p50_us": %d, "p99_us": %d, "errors": %d}',
    summary.requests / summary.duration * 1e6, latency:percentile(50), latency:percentile(99),
    errors.status + errors.connect + errors.read + errors.write + errors.timeout))
end
