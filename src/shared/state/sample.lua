#!lua flags=allow-oom
-- needs minutes.lua
-- needs backlog.lua
--[[
  Stores a sample of the backlog and of the age of the oldest waiting job, once a minute; the first replica that calls
  the script in a minute does it. Both figures are those of queue-state.lua.
  KEYS[1] wait  KEYS[2] paused  KEYS[3] active  (lists)  KEYS[4] delayed  KEYS[5] prioritized  (sorted sets)
  ARGV[1] prefix of job hashes  ARGV[2] jobs to read in each state  ARGV[3] prefix of the minutes
  Returns 1 = this call stored the sample, 0 = an earlier one did
]]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local bucket = ARGV[3] .. math.floor(time[1] / 60)
if redis.call('HEXISTS', bucket, 'sampled') == 1 then return 0 end
local oldest = math.max(0, oldestWaitingSeconds(KEYS, ARGV[1], now))
local backlog = estimateBacklog(KEYS, ARGV[1], integer(ARGV[2]))
redis.call('HSET', bucket, 'sampled', 1, 'backlog', backlog, 'oldest', oldest)
redis.call('EXPIRE', bucket, KEEP_MINUTE_SECONDS)
return 1
