-- Requests with varying ids. Arguments after `--`: route, distribution of ids (skewed, uniform), mean pause in ms.
local route, distribution, pause_ms
local N_PRODUCTS, N_CUSTOMERS, N_KEPT, BATCH = 10000, 100000, 1000, 20
local sent = 0

local function pick(n)
  -- the logarithm of the rank is uniform: Zipf's law with exponent 1
  if distribution == "skewed" then return math.floor(n ^ math.random()) - 1 end
  return math.random(0, n - 1)
end

local function similar() return "/v1/products/p" .. pick(N_PRODUCTS) .. "/similar" end
local function recommendations() return "/v1/customers/c" .. pick(N_CUSTOMERS) .. "/recommendations" end

local paths = {
  ["bare similar"] = function() return "/similar" end,
  ["bare personal"] = function() return "/personal" end,
  ["similar"] = similar,
  ["similar, kept"] = function() return "/v1/products/p" .. pick(N_KEPT) .. "/similar" end,
  ["similar, never kept"] = function()
    sent = sent + 1
    return similar() .. "?exclude=x" .. sent .. "-" .. math.random(0, 999999)
  end,
  ["recommendations"] = recommendations,
  ["buy-again"] = function() return "/v1/customers/c" .. pick(N_CUSTOMERS) .. "/buy-again" end,
}

local function batch()
  local requests = {}
  for i = 1, BATCH do requests[i] = '{"path":"' .. recommendations() .. '"}' end
  local body = '{"requests":[' .. table.concat(requests, ",") .. "]}"
  return wrk.format("POST", "/v1/batch", { ["Content-Type"] = "application/json" }, body)
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
  return wrk.format("GET", paths[route]())
end

function done(summary, latency)
  local errors = summary.errors
  print(string.format(
    '{"requests_per_s": %.1f, "p50_us": %d, "p99_us": %d, "errors": %d}',
    summary.requests / summary.duration * 1e6, latency:percentile(50), latency:percentile(99),
    errors.status + errors.connect + errors.read + errors.write + errors.timeout))
end
