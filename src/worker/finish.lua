--[[
  Library: completes and fails jobs as BullMQ's moveToFinished does with one. For jobs that concern nobody else: no parent,
  no deduplication, no policy of their own for completed ones; the caller has their locks. The first command is one that a
  Redis refuses which is full or read-only, so that nothing is half done. Failed jobs all stay: they are the dead letters.
]]
local EVENTS_KEPT = 10000
-- removed at the most beside those that are added: an older queue may have kept millions
local REMOVED_AT_ONCE = 1000

local function removeOldest(keys, count)
  if count <= 0 then return end
  for _, id in ipairs(redis.call('ZRANGE', keys.completed, 0, count - 1)) do
    local key = keys.jobs .. id
    redis.call('DEL', key, key .. ':logs', key .. ':dependencies', key .. ':processed', key .. ':failed', key .. ':unsuccessful')
  end
  redis.call('ZREMRANGEBYRANK', keys.completed, 0, count - 1)
end

local function complete(keys, job, now)
  local key, id, returnvalue = keys.jobs .. job.id, job.id, job.value
  redis.call('HSET', key, 'associationsCounted', job.mark, 'returnvalue', returnvalue, 'finishedOn', now, 'atm', job.attempts)
  redis.call('ZADD', keys.completed, now, id)
  redis.call('XADD', keys.events, '*', 'event', 'completed', 'jobId', id, 'returnvalue', returnvalue, 'prev', 'active')
end

local function fail(keys, job, now)
  local key, id, reason = keys.jobs .. job.id, job.id, job.value
  redis.call('HSET', key, 'failedReason', reason, 'stacktrace', '[]', 'finishedOn', now, 'atm', job.attempts)
  redis.call('ZADD', keys.failed, now, id)
  redis.call('XADD', keys.events, '*', 'event', 'failed', 'jobId', id, 'failedReason', reason, 'prev', 'active')
  local most = tonumber((redis.call('HGET', key, 'opts') or ''):match('"attempts":(%d+)')) or 0
  if job.attempts >= most then
    redis.call('XADD', keys.events, '*', 'event', 'retries-exhausted', 'jobId', id, 'attemptsMade', job.attempts)
  end
end

--[[
  keys  {jobs = prefix of job hashes, wait, active, prioritized, completed, failed, stalled, events, meta, marker}
  jobs  list of {id, state = 'completed' | 'failed', value = return value as JSON | reason, attempts = made so far,
        mark = of what was counted}
  keep  how many completed jobs stay for those who look
]]
local function finishJobs(keys, jobs, keep)
  if #jobs == 0 then return end
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local ids, locks = {}, {}
  for at, job in ipairs(jobs) do
    if job.state == 'completed' then complete(keys, job, now) else fail(keys, job, now) end
    redis.call('LREM', keys.active, -1, job.id)
    ids[at], locks[at] = job.id, keys.jobs .. job.id .. ':lock'
  end
  redis.call('SREM', keys.stalled, unpack(ids))
  redis.call('DEL', unpack(locks))
  local meta = redis.call('HMGET', keys.meta, 'opts.maxLenEvents', 'concurrency')
  redis.call('XTRIM', keys.events, 'MAXLEN', '~', meta[1] or EVENTS_KEPT)
  -- where only so many may be active, whoever waits for a place hears that there is one
  if meta[2] then redis.call('ZADD', keys.marker, 0, '0') end
  removeOldest(keys, math.min(redis.call('ZCARD', keys.completed) - keep, #jobs + REMOVED_AT_ONCE))
  if redis.call('EXISTS', keys.wait, keys.active, keys.prioritized) == 0 then
    redis.call('XADD', keys.events, '*', 'event', 'drained')
  end
end
