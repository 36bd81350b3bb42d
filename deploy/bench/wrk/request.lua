-- One request over and over. METHOD, BODY and AUTHORIZATION come from the environment.
-- Prints the result as one line of JSON instead of a table to be picked apart.
wrk.method = os.getenv("METHOD") or "GET"
wrk.headers["Authorization"] = os.getenv("AUTHORIZATION")
local body = os.getenv("BODY")
if body then
  wrk.body = body
  wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
end

function done(summary, latency, _)
  local errors = summary.errors
  io.write(string.format(
    '\n{"ops": %d, "per_second": %.1f, "p50_ms": %.3f, "p99_ms": %.3f, "errors": %d}\n',
    summary.requests, summary.requests / summary.duration * 1e6, latency:percentile(50) / 1000,
    latency:percentile(99) / 1000, errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
