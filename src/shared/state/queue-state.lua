-- needs backlog.lua
-- needs held.lua
--[[
  Reads the state of an account's queue with a fixed number of cheap commands, whatever the backlog. Changes nothing.

  KEYS[1] counters  KEYS[2] hold  KEYS[3] daily  KEYS[4] heldPairs  KEYS[5] capacity   (hashes)
  KEYS[6] window  KEYS[7] workers  (sorted sets)   KEYS[8] meta (BullMQ's hash)
  KEYS[9] failed  KEYS[10] completed  (sorted sets)
  KEYS[11] wait  KEYS[12] paused  KEYS[13] active  (lists)   KEYS[14] delayed  KEYS[15] prioritized  (sorted sets)
  KEYS[16] our hash paused: who paused the queue
  ARGV[1] prefix of job hashes   ARGV[2] jobs to read in each state
  ARGV[3] length of the window in ms if no worker has written it
  ARGV[4] prefix of the replicas' reports   ARGV[5] most replicas to read, the latest first

  Returns {now (ms), counters, daily, heldPairs, capacity (each a flat list of field and value), calls in the window,
           1 = paused, {by, why, at} of the pause, jobs in {failed, completed, wait, paused, active, delayed, prioritized}, associations (estimate),
           seconds that the oldest job has waited (-1 = no job waits), score of the next delayed job ('' = none),
           hold {until, kind, reason, since} or {}, replicas {id, ms of its last report, …}, their reports}
]]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local window = kept(redis.call('HGET', KEYS[5], 'windowMs'))
if window <= 0 then window = number(ARGV[3]) end
local states = {unpack(KEYS, 11, 15)}

local replicas = redis.call('ZREVRANGE', KEYS[7], 0, integer(ARGV[5]) - 1, 'WITHSCORES')
local reports = {}
for at = 1, #replicas, 2 do reports[#reports + 1] = ARGV[4] .. replicas[at] end
if #reports > 0 then reports = redis.call('MGET', unpack(reports)) end

return {
  now,
  redis.call('HGETALL', KEYS[1]), redis.call('HGETALL', KEYS[3]), redis.call('HGETALL', KEYS[4]), redis.call('HGETALL', KEYS[5]),
  redis.call('ZCOUNT', KEYS[6], now - window, now),
  redis.call('HEXISTS', KEYS[8], PAUSED), redis.call('HMGET', KEYS[16], 'by', 'why', 'at'),
  {redis.call('ZCARD', KEYS[9]), redis.call('ZCARD', KEYS[10]), unpack(countJobs(states))},
  estimateBacklog(states, ARGV[1], integer(ARGV[2])),
  oldestWaitingSeconds(states, ARGV[1], now),
  redis.call('ZRANGE', KEYS[14], 0, 0, 'WITHSCORES')[2] or '',
  accountHold(KEYS[2], states, now) or {},
  replicas, reports,
}
