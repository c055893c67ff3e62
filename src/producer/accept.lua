-- needs ../shared/state/count-request.lua
--[[
  Counts jobs that were added in the same transaction into the record of their request, so that a job is in the queue if and
  only if it is counted. Opens the record if there is none. Without jobs it opens the record, extends the lease of the process
  that enqueues, or says that everything is enqueued.

  KEYS[1…6] requests, as request-list.lua takes them
  ARGV[1] request   ARGV[2] field in which the sender finds this bulk again: its number, then the jobs that do not exist
  ARGV[3] number of the bulk
  ARGV[4] prefix of job hashes   ARGV[5] lease in ms   ARGV[6] seconds to keep a listed request after its end
  ARGV[7] '' = there is more to enqueue, 'all' = everything is enqueued, or why enqueueing stopped early
  ARGV[8] files: every line up to this one is enqueued or refused, '' = no file   ARGV[9] lines refused so far
  ARGV[10] number of the next job
  ARGV[11] number of fields of a new record; then field, value …
  then for each job: id, associations

  Returns {state, who cancelled it, places in the bulk of the jobs that do not exist, from 0 …}
    accepted   counted, or counted before
    partial    Redis added only some of the jobs. These are counted; line, refused lines and the end are not noted
    refused    Redis added none of the jobs; nothing is counted
    cancelled  those that exist are counted; the sender must stop
    foreign    the key is not the record of a request; nothing is counted
]]
local id, place, bulk, prefix = text(ARGV[1]), text(ARGV[2]), text(ARGV[3]), text(ARGV[4])
local lease, keep, ending, line = integer(ARGV[5]), integer(ARGV[6]), text(ARGV[7]), text(ARGV[8])
local refusedLines, nextJob = integer(ARGV[9]), integer(ARGV[10])
if line ~= '' then integer(line) end
local keys = requestKeys(1)
local key, now = keys.record .. id, nowMs()
local fields = {'accepted', 0, 'jobs', 0, 'created', 0, 'rejected', 0, 'cancelled', 0, 'enqueuedAt', now}
local at = 12
for _ = 1, integer(ARGV[11]) do
  local name, value = text(ARGV[at]), text(ARGV[at + 1])
  fields[#fields + 1] = name
  fields[#fields + 1] = value
  at = at + 2
end
local jobs, associations = 0, 0
local named = {}
while at <= #ARGV do
  named[#named + 1] = {prefix .. ARGV[at], integer(ARGV[at + 1])}
  at = at + 2
end
local known = redis.pcall('HMGET', key, 'accepted', 'jobs', 'cancelledAt', 'cancelledBy', 'name', place, 'nextJob', 'enqueuedAt')
if known.err or (known[1] and not (isInteger(known[1]) and isInteger(known[2] or '0'))) then return {'foreign', ''} end
local isCancelled = known[3]
-- A bulk that comes again may bring the jobs that were missing; the others are counted.
local isRepeat = #named > 0 and (known[6] or ''):match('^%S+') == bulk
local missingBefore, missing = {}, {}
for index in (known[6] or ''):gmatch(' (%d+)') do missingBefore[tonumber(index)] = true end
for n, job in ipairs(named) do
  if isRepeat and not missingBefore[n - 1] then
    -- counted before
  elseif redis.call('EXISTS', job[1]) == 1 then
    jobs = jobs + 1
    associations = associations + job[2]
  else
    missing[#missing + 1] = n - 1
  end
end
local function answer()
  return {isCancelled and 'cancelled' or #missing > 0 and 'partial' or 'accepted', known[4] or '', unpack(missing)}
end
if jobs == 0 and isRepeat then return answer() end
if jobs == 0 and #named > 0 then return {'refused', ''} end
local mark = bulk
if #missing > 0 then
  mark = bulk .. ' ' .. table.concat(missing, ' ')
  line, refusedLines, ending = '', 0, ''
end

-- nothing fails from here on
if not known[1] then
  redis.call('HSET', key, unpack(fields))
  redis.call('EXPIRE', key, KEEP_OPEN)
  known = redis.call('HMGET', key, 'accepted', 'jobs', 'cancelledAt', 'cancelledBy', 'name', place, 'nextJob', 'enqueuedAt')
  if known[5] then
    redis.call('HSET', key, 'keep', keep)
    listRequest(keys, id, now)
  end
end
if jobs > 0 then
  local all = (known[2] or 0) + jobs
  redis.call('HSET', key, 'accepted', string.format('%d', known[1] + associations), 'jobs', all, place, mark,
    'nextJob', math.max(kept(known[7]), nextJob))
  if all > 1 and not isListed(keys, id) then
    redis.call('HSET', key, 'keep', keep)
    listRequest(keys, id, kept(known[8]))
  end
end
if line ~= '' then redis.call('HSET', key, 'line', line) end
if refusedLines > 0 then redis.call('HSET', key, 'refusedLines', refusedLines) end
if isCancelled then
  -- the sweep may have ended before these jobs came
  if jobs > 0 then
    redis.pcall('ZADD', keys.cancelling, 'NX', now, id)
    keepAtLeast(keys.cancelling, KEEP_OPEN)
  end
elseif ending == '' then
  redis.call('HSET', key, 'enqueueing', now + lease)
  redis.call('HDEL', key, 'interrupted')
elseif ending == 'all' then
  redis.call('HDEL', key, 'enqueueing', 'interrupted')
else
  redis.call('HSET', key, 'enqueueing', 0, 'interrupted', ending)
  redis.pcall('PUBLISH', key, 'interrupted') -- a user of Redis may have no channels
end
if ending ~= '' then
  for _, name in ipairs(redis.call('HKEYS', key)) do
    -- the sender may have to look whether the last bulk is there
    if name:sub(1, 4) == 'seq:' and not (jobs > 0 and name == place) then redis.call('HDEL', key, name) end
  end
end
local request = readRequest(keys, id)
if request and (ending ~= '' or request.doneAt or isCancelled) then endOrReopen(keys, request, now) end
return answer()
