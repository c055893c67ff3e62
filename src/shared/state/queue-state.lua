-- needs backlog.lua
--[[
  Reads the state of an account's queue with a fixed number of cheap commands, whatever the backlog. Changes nothing.

  KEYS[1] counters  KEYS[2] hold  KEYS[3] daily  KEYS[4] heldPairs  KEYS[5] capacity   (hashes)
  KEYS[6] window  KEYS[7] workers  (sorted sets)   KEYS[8] meta (BullMQ's hash)
  KEYS[9] wait  KEYS[10] paused  KEYS[11] active  (lists)
  KEYS[12] delayed  KEYS[13] prioritized  KEYS[14] failed  KEYS[15] completed  (sorted sets)
  ARGV[1] prefix of job hashes   ARGV[2] jobs to read in each state
  ARGV[3] length of the window in ms if no worker has written it   ARGV[4] ms of silence that mean a worker is dead

  Returns {now (ms), counters, hold, daily, heldPairs, capacity (each a flat list), calls in the window, 1 = paused,
           job counts (wait, paused, active, delayed, prioritized, failed, completed), associations (estimate),
           when the oldest waiting job was enqueued (ms, 0 = none), workers alive}
]]
-- the first job of each priority is its oldest
local PRIORITIES_LOOKED_AT = 16

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local window = tonumber(redis.call('HGET', KEYS[5], 'windowMs') or ARGV[3])

local oldest = 0
local function consider(id)
  if not id then return end
  local at = tonumber(fieldOf(ARGV[1] .. id, ENQUEUED_AT) or '')
  if at and (oldest == 0 or at < oldest) then oldest = at end
end
-- BullMQ pushes at the head and takes from the tail
consider(redis.call('LINDEX', KEYS[9], -1))
consider(redis.call('LINDEX', KEYS[10], -1))
local from = '-inf'
for _ = 1, PRIORITIES_LOOKED_AT do
  local first = redis.call('ZRANGEBYSCORE', KEYS[13], from, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
  if not first[1] then break end
  consider(first[1])
  from = string.format('%.0f', (math.floor(first[2] / PRIORITY_STEP) + 1) * PRIORITY_STEP)
end

local counts = {}
for state = 9, 11 do counts[#counts + 1] = redis.call('LLEN', KEYS[state]) end
for state = 12, 15 do counts[#counts + 1] = redis.call('ZCARD', KEYS[state]) end

return {
  now,
  redis.call('HGETALL', KEYS[1]), redis.call('HGETALL', KEYS[2]), redis.call('HGETALL', KEYS[3]),
  redis.call('HGETALL', KEYS[4]), redis.call('HGETALL', KEYS[5]),
  redis.call('ZCOUNT', KEYS[6], now - window, now),
  redis.call('HEXISTS', KEYS[8], PAUSED),
  counts, estimateBacklog({KEYS[9], KEYS[10], KEYS[11], KEYS[12], KEYS[13]}, ARGV[1], tonumber(ARGV[2])), oldest,
  redis.call('ZCOUNT', KEYS[7], now - tonumber(ARGV[4]), '+inf'),
}
