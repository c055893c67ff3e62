#!lua flags=allow-oom
-- needs minutes.lua
-- needs count-request.lua
-- needs ../../bullmq/remove.lua
--[[
  Cancels jobs of a request that wait in one place and that no worker has: takes their associations out of the queue and
  counts them in the request, in the totals and in the minute, in one step. It leaves jobs alone that a worker has, or has had
  since they were read: the caller reads them again. A job whose associations are all cancelled is removed; one with rejections
  becomes the dead letter that it is. A job that concerns other jobs, and every job where BullMQ's release is unknown, only
  loses its associations; a worker ends it. If a list of the request is wanted, the data of each job is kept in the same step.

  KEYS[1] counters  hash   KEYS[2] minutes  prefix of hashes   KEYS[3…8] requests, as request-list.lua takes them
  KEYS[9] the place: BullMQ's list or sorted set               KEYS[10…] BullMQ's own, as finish.lua takes them
  ARGV[1] id of the request
  ARGV[2] list | zset · '' = the places stay as they are       ARGV[3] name of the place in BullMQ's events
  ARGV[4…] for each job: id, its index in the list when it was read, how often it was started, bytes of its data,
    associations in it, data without them, the data of the dead letter ('' = nothing of it is rejected), the reason of the
    dead letter

  Returns for each job 0 = it has changed, 1 = it is out of the place, 2 = it stays without associations
]]
local REQUESTS, BULLMQ = requestKeys(3), finishKeys(10)
local kind, prev = text(ARGV[2]), text(ARGV[3])
local ids, indexes, jobs = {}, {}, {}
for at = 4, #ARGV, 8 do
  local job = {
    id = ARGV[at], key = BULLMQ.jobs .. ARGV[at], starts = ARGV[at + 2], bytes = integer(ARGV[at + 3]),
    associations = integer(ARGV[at + 4]), empty = text(ARGV[at + 5]), letter = text(ARGV[at + 6]), reason = text(ARGV[at + 7]),
  }
  local n = #ids + 1
  ids[n], indexes[n], jobs[n] = job.id, integer(ARGV[at + 1]), job
end
local request = readRequest(REQUESTS, text(ARGV[1]))
expectCounts(KEYS[1], 'cancelled')
local bucket = minuteBucket(KEYS[2], 'cancelled')
if request and request.unlisted then expectType('list', request.key .. UNLISTED) end
local known = expectFinishable(BULLMQ, #jobs)
expectType('zset', BULLMQ.failed)
local places = kind ~= '' and placesOf(kind, KEYS[9], ids, indexes)

-- Reads a job. Returns its state for the reply. A job that is named twice is taken out once.
local seen = {}
local function look(job)
  if seen[job.id] then return 0 end
  seen[job.id] = true
  local found = redis.pcall('HMGET', job.key, STARTS, 'associationsCounted', ATTEMPTS, PARENT, DEDUPLICATION, SCHEDULER)
  if found.err or (found[1] or '0') ~= job.starts or redis.call('HSTRLEN', job.key, DATA) ~= job.bytes then return 0 end
  if (places and not places[job.id]) or redis.call('EXISTS', lockOf(job.key)) == 1 then return 0 end
  -- its last worker has counted some of it as created, and died before BullMQ completed it
  local counted = (found[2] or ''):match('^%d+')
  job.cancelled = math.max(0, job.associations - (isInteger(counted) and tonumber(counted) or 0))
  job.attempts = kept(found[3])
  return (not places or found[4] or found[5] or found[6]) and 2 or 1
end

local states, removed, buried, emptied, taken, cancelled = {}, {}, {}, {}, {}, 0
for at, job in ipairs(jobs) do
  states[at] = request and look(job) or 0
  if states[at] > 0 then cancelled = cancelled + job.cancelled end
  if states[at] == 1 then taken[#taken + 1] = job.id end
  local list = states[at] == 2 and emptied or states[at] == 1 and (job.letter == '' and removed or buried)
  if list then list[#list + 1] = job end
end
if #taken + #emptied == 0 then return states end

-- An entry is the data of the job; if not all of its associations were taken back, how many and a space come before it. (Data
-- that stays as it is spares a copy: there may be a megabyte in a call.)
local function keepForList(...)
  local entries, key = {}, request.key .. UNLISTED
  for _, list in ipairs({...}) do
    for _, job in ipairs(list) do
      local data = job.cancelled > 0 and redis.call('HGET', job.key, DATA)
      if data then entries[#entries + 1] = job.cancelled == job.associations and data or job.cancelled .. ' ' .. data end
    end
  end
  if #entries == 0 then return end
  redis.call('RPUSH', key, unpack(entries))
  redis.call('HSET', request.key, 'unlisted', kept(request.unlisted) + cancelled)
  if redis.call('TTL', key) < 0 then redis.call('EXPIRE', key, KEEP_OPEN) end
end

local function idsOf(list)
  local found = {}
  for at, job in ipairs(list) do found[at] = job.id end
  return found
end

-- Nothing fails from here on. The first command is one that a full Redis refuses.
local now = nowText()
redis.call('HINCRBY', KEYS[1], 'cancelled', cancelled)
countMinute(bucket, {cancelled = cancelled})
if request.unlisted then keepForList(emptied, removed, buried) end
for _, job in ipairs(emptied) do
  redis.call('HSET', job.key, DATA, job.empty)
  redis.call('HDEL', job.key, 'associationsCounted') -- it belongs to the data that is gone
end
for _, job in ipairs(buried) do
  redis.call('HSET', job.key, DATA, job.letter)
  fail(BULLMQ, job.id, job.key, job.reason, job.attempts, now, prev)
end
if #taken > 0 then
  takeOut(kind, KEYS[9], taken, places)
  remove(BULLMQ, idsOf(removed), prev)
  bury(BULLMQ, idsOf(buried), now)
  redis.call('XTRIM', BULLMQ.events, 'MAXLEN', '~', known.events)
end
countRequest(REQUESTS, request, 0, 0, cancelled)
return states
