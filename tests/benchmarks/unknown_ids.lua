-- Ids that nobody ever gave out, each asked for once: of products and of customers in turn. Arguments after `--`: how
-- the ids begin, and how many to send a second. Wants one thread, or ids would come twice.
local ffi = require("ffi")
ffi.cdef("typedef struct { long s, ns; } moment; int clock_gettime(int clock, moment *found);")
local CLOCK_MONOTONIC = 1
local clock = ffi.new("moment")
local prefix, every_ms
local due_ms = 0
local sent = 0
local threads = {}

function setup(thread) table.insert(threads, thread) end

function init(args)
  prefix, every_ms = args[1], 1000 / tonumber(args[2])
  counts = {}
end

local function now_ms()
  ffi.C.clock_gettime(CLOCK_MONOTONIC, clock)
  return tonumber(clock.s) * 1e3 + tonumber(clock.ns) / 1e6
end

-- until the next request is due; what the service was late by is not made up for
function delay()
  due_ms = math.max(due_ms + every_ms, now_ms())
  return math.floor(due_ms - now_ms() + math.random())
end

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
