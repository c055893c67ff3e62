--[[
  Library: completes and fails jobs as BullMQ's moveToFinished does with one. For jobs that concern nobody else: no parent,
  no deduplication, no policy of their own for completed ones; the caller has their locks. The first command is one that a
  Redis refuses which is full or read-only, so that nothing is half done. Failed jobs all stay: they are the dead letters.
]]
local EVENTS_KEPT = 10000
-- removed at the most beside those that are added: an older queue may have kept millions
local REMOVED_AT_ONCE = 1000

-- what a job may have beside its hash; few do
local BESIDE = {':logs', ':dependencies', ':processed', ':failed', ':unsuccessful'}
-- Lua hands a command 8,000 arguments at the most
local REMOVED_PER_COMMAND = 500

local function removeOldest(keys, count)
  if count <= 0 then return end
  local ids = redis.call('ZRANGE', keys.completed, 0, count - 1)
  for first = 1, #ids, REMOVED_PER_COMMAND do
    local hashes, beside = {}, {}
    for at = first, math.min(#ids, first + REMOVED_PER_COMMAND - 1) do
      local key = keys.jobs .. ids[at]
      hashes[#hashes + 1] = key
      for _, name in ipairs(BESIDE) do beside[#beside + 1] = key .. name end
    end
    redis.call('DEL', unpack(hashes))
    redis.call('DEL', unpack(beside))
  end
  redis.call('ZREMRANGEBYRANK', keys.completed, 0, count - 1)
end

-- (completed jobs are added to their set all at once)
local function complete(keys, job, now)
  local key, id, returnvalue = keys.jobs .. job.id, job.id, job.value
  redis.call('HSET', key, 'associationsCounted', job.mark, 'returnvalue', returnvalue, 'finishedOn', now, 'atm', job.attempts)
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

-- The jobs of a call stand together at the tail more often than not, where one cut takes them all.
local function removeFromActive(active, ids)
  local finished, run = {}, 0
  for _, id in ipairs(ids) do finished[id] = true end
  local tail = redis.call('LRANGE', active, -#ids, -1)
  while run < #tail and finished[tail[#tail - run]] do
    finished[tail[#tail - run]] = nil
    run = run + 1
  end
  if run > 0 then redis.call('LTRIM', active, 0, -run - 1) end
  for id in pairs(finished) do redis.call('LREM', active, -1, id) end
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
  local ids, locks, completed = {}, {}, {}
  for at, job in ipairs(jobs) do
    if job.state == 'completed' then
      complete(keys, job, now)
      completed[#completed + 1] = now
      completed[#completed + 1] = job.id
    else
      fail(keys, job, now)
    end
    ids[at], locks[at] = job.id, keys.jobs .. job.id .. ':lock'
  end
  if #completed > 0 then redis.call('ZADD', keys.completed, unpack(completed)) end
  removeFromActive(keys.active, ids)
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
