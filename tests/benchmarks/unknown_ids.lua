-- Ids that nobody ever gave out, each asked for once: of products and of customers in turn. Arguments after `--`: how
-- the ids begin, and the mean pause of a connection in ms. Wants one thread, or ids would come twice.
local prefix, pause_ms
local sent = 0
local threads = {}

function setup(thread) table.insert(threads, thread) end

function init(args)
  prefix, pause_ms = args[1], tonumber(args[2])
  math.randomseed(1)
  counts = {}
end

function delay() return math.floor(-pause_ms * math.log(1 - math.random()) + 0.5) end

function request()
  sent = sent + 1
  local id = prefix .. "-" .. sent
  if sent % 2 == 0 then return wrk.format("GET", "/v1/products/" .. id .. "/similar") end
  return wrk.format("GET", "/v1/customers/" .. id .. "/recommendations")
end

function response(status) counts[status] = (counts[status] or 0) + 1 end

function done(summary, latency)
  local statuses, errors = {}, summary.errors
  for status, n in pairs(threads[1]:get("counts")) do table.insert(statuses, string.format('"%d": %d', status, n)) end
  print(string.format(
    '{"requests": %d, "requests_per_s": %.1f, "p50_us": %d, "p99_us": %d, "statuses": {%s}, "n_broken": %d}',
    summary.requests, summary.requests / summary.duration * 1e6, latency:percentile(50), latency:percentile(99),
    table.concat(statuses, ", "), errors.connect + errors.read + errors.write + errors.timeout))
end
