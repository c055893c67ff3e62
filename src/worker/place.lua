-- needs ../shared/runtime/guard.lua
-- needs ../bullmq/layout.lua
-- needs ../shared/state/places.lua
--[[
  The reserve looks whether it has a place now, and which job is next. Changes nothing.

  KEYS[1] row   KEYS[2] workers  (sorted sets)   KEYS[3] capacity  hash
  KEYS[4] wait  list   KEYS[5] prioritized  sorted set   KEYS[6] meta  hash   KEYS[7] limiter  string   (BullMQ's)
  ARGV[1] replica   ARGV[2] ms of silence after which a replica has no place
  ARGV[3] priority scores below this are high   ARGV[4] value of the limiter from which on no job may be fetched
  Returns {rank, places, replicas that fetch (places.lua), id of the next job; '' = none, or none may be fetched now}
]]
local replica, absentMs, highBelow, mostOfLimiter = text(ARGV[1]), integer(ARGV[2]), integer(ARGV[3]), integer(ARGV[4])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local standing = standingOf(KEYS[1], KEYS[2], KEYS[3], replica, now - absentMs)

local limits = redis.call('HMGET', KEYS[6], PAUSED, CONCURRENCY, RATE_LIMIT)
local isHeld = limits[1] or limits[2] or limits[3] or kept(redis.call('GET', KEYS[7])) >= mostOfLimiter
local nextJob
if not isHeld then
  local first = redis.call('ZRANGE', KEYS[5], 0, 0, 'WITHSCORES')
  local isHigh = first[1] and tonumber(first[2]) < highBelow
  nextJob = isHigh and first[1] or redis.call('LINDEX', KEYS[4], -1) or first[1]
end
standing[4] = nextJob or ''
return standing
