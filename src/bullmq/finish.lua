-- needs ../shared/runtime/guard.lua
-- needs layout.lua
--[[
  Library: completes and fails many jobs as BullMQ's moveToFinished does with one. It is for jobs that concern no other job:
  no parent, no deduplication, no `removeOnComplete`. The caller holds the locks of the jobs. `expectFinishable` fails if the
  jobs cannot be moved, and comes before the first write; `complete` and `fail` write the end of a job, `leave` moves all of
  them. A Redis that is full or read-only refuses the first command of each, so that nothing is half done on a server that
  does not know `allow-oom`. All failed jobs are kept: they are the dead letters.

  keys  by finishKeys
]]
local EVENTS_KEPT = 10000
-- points of BullMQ's metrics, one a minute: METRICS_POINTS of layout.ts
local POINTS_KEPT = 10080
-- most older jobs that one call removes in addition: an older queue may have kept millions
local REMOVED_AT_ONCE = 1000
-- suffixes of further keys of a job; few jobs have any
local BESIDE = {':logs', ':dependencies', ':processed', ':failed', ':unsuccessful'}
-- Lua passes at most 8,000 arguments to a command
local REMOVED_PER_COMMAND = 500
local MOST_JOBS = 1000

-- first = index in KEYS of the first of BullMQ's keys, in the order of finishKeys in layout.ts
local function finishKeys(first)
  return {jobs = KEYS[first], wait = KEYS[first + 1], active = KEYS[first + 2], prioritized = KEYS[first + 3],
    completed = KEYS[first + 4], failed = KEYS[first + 5], stalled = KEYS[first + 6], events = KEYS[first + 7],
    meta = KEYS[first + 8], marker = KEYS[first + 9], metricsCompleted = KEYS[first + 10], metricsFailed = KEYS[first + 11]}
end

-- Epoch ms as text, because formatting a Lua number costs Redis as much as the rest of the command.
local function nowText()
  local time = redis.call('TIME')
  return string.format('%d', time[1] * 1000 + math.floor(time[2] / 1000))
end

-- count = jobs of this call; a caller that fails jobs must check `failed` as well. Returns what `leave` needs: number of
-- completed jobs, events to keep, 1 = the queue limits the number of active jobs
local function expectFinishable(keys, count)
  if count > MOST_JOBS then error(count .. ' jobs in one call are more than ' .. MOST_JOBS, 0) end
  expectType('list', keys.active)
  expectType('set', keys.stalled)
  expectType('stream', keys.events)
  local meta = redis.call('HMGET', keys.meta, MOST_EVENTS, CONCURRENCY)
  if meta[2] then expectType('zset', keys.marker) end
  return {completed = expectType('zset', keys.completed), events = isInteger(meta[1]) and meta[1] or EVENTS_KEPT,
    isLimited = meta[2]}
end

-- value = return value as JSON; attempts = attempts so far; mark = mark of the counted associations. Returns false if the
-- job's key is not a hash; then nothing was written.
local function complete(keys, id, key, value, attempts, mark, now)
  local written = redis.pcall('HSET', key, 'associationsCounted', mark, RETURN_VALUE, value, FINISHED_AT, now, ATTEMPTS, attempts)
  if type(written) == 'table' then
    if written.err:find('WRONGTYPE', 1, true) then return false end
    error(written.err, 0) -- Redis refuses writes, and this is the first one
  end
  redis.call('XADD', keys.events, '*', 'event', 'completed', 'jobId', id, RETURN_VALUE, value, 'prev', 'active')
  return true
end

-- prev = name of the job's place before, in BullMQ's event
local function fail(keys, id, key, reason, attempts, now, prev)
  redis.call('HSET', key, FAILED_REASON, reason, STACKTRACE, '[]', FINISHED_AT, now, ATTEMPTS, attempts)
  redis.call('XADD', keys.events, '*', 'event', 'failed', 'jobId', id, FAILED_REASON, reason, 'prev', prev)
  local most = tonumber((redis.call('HGET', key, OPTIONS) or ''):match('"attempts":(%d+)')) or 0
  if attempts >= most then
    redis.call('XADD', keys.events, '*', 'event', 'retries-exhausted', 'jobId', id, 'attemptsMade', attempts)
  end
end

-- Deletes everything of these jobs but their places.
local function deleteJobs(keys, ids)
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
end

local function removeOldest(keys, count)
  if count <= 0 then return end
  deleteJobs(keys, redis.call('ZRANGE', keys.completed, 0, count - 1))
  redis.call('ZREMRANGEBYRANK', keys.completed, 0, count - 1)
end

-- The jobs of a call are mostly consecutive at the tail, where one LTRIM removes them all.
local function removeFromActive(active, ids)
  local left, run = {}, 0
  for _, id in ipairs(ids) do left[id] = true end
  local tail = redis.call('LRANGE', active, -#ids, -1)
  while run < #tail and left[tail[#tail - run]] do
    left[tail[#tail - run]] = nil
    run = run + 1
  end
  if run > 0 then redis.call('LTRIM', active, 0, -run - 1) end
  for id in pairs(left) do redis.call('LREM', active, -1, id) end
end

-- Returns how many ids were new.
local function addAll(set, ids, now)
  if #ids == 0 then return 0 end
  local scored = {}
  for at, id in ipairs(ids) do scored[2 * at - 1], scored[2 * at] = now, id end
  return redis.call('ZADD', set, unpack(scored))
end

-- Counts into BullMQ's metrics, as its collectMetrics does for one job. Ignores a foreign key with the name of a metric.
local function countFinished(metric, jobs, now)
  local count = jobs > 0 and redis.pcall('HINCRBY', metric, COUNT, jobs)
  if type(count) ~= 'number' then return end
  local point = redis.call('HMGET', metric, POINT_AT, POINT_COUNT)
  if not isInteger(point[1]) then
    redis.call('HSET', metric, POINT_AT, now, POINT_COUNT, 0)
    return
  end
  local minutes = math.min(math.floor(now / 60000) - math.floor(point[1] / 60000), POINTS_KEPT)
  if minutes <= 0 then return end
  local before = count - jobs
  redis.pcall('LPUSH', metric .. ':data', before - kept(point[2]))
  for _ = 2, minutes do redis.pcall('LPUSH', metric .. ':data', 0) end
  redis.pcall('LTRIM', metric .. ':data', 0, POINTS_KEPT - 1)
  redis.call('HSET', metric, POINT_AT, now, POINT_COUNT, before)
end

-- completed, failed = ids; keep = number of completed jobs to keep; known = result of expectFinishable
local function leave(keys, completed, failed, now, keep, known)
  local ids, locks = {}, {}
  for _, some in ipairs({completed, failed}) do
    for _, id in ipairs(some) do
      ids[#ids + 1] = id
      locks[#ids] = lockOf(keys.jobs .. id)
    end
  end
  if #ids == 0 then return end
  local there = known.completed + addAll(keys.completed, completed, now)
  addAll(keys.failed, failed, now)
  removeFromActive(keys.active, ids)
  redis.call('SREM', keys.stalled, unpack(ids))
  redis.call('DEL', unpack(locks))
  redis.call('XTRIM', keys.events, 'MAXLEN', '~', known.events)
  countFinished(keys.metricsCompleted, #completed, now)
  countFinished(keys.metricsFailed, #failed, now)
  -- if the queue limits the number of active jobs, wake a worker that waits for a place
  if known.isLimited then redis.call('ZADD', keys.marker, 0, '0') end
  removeOldest(keys, math.min(there - keep, #ids + REMOVED_AT_ONCE))
  if redis.call('EXISTS', keys.wait, keys.active, keys.prioritized) == 0 then
    redis.call('XADD', keys.events, '*', 'event', 'drained')
  end
end
