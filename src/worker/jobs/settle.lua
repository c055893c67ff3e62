#!lua flags=allow-oom
-- needs ../../shared/state/minutes.lua
-- needs ../../shared/state/rejections.lua
-- needs ../../shared/state/count-request.lua
-- needs ../../bullmq/finish.lua
--[[
  Settles jobs: writes the outcomes of their pairs into their data, the totals, the minute's counts and the index of
  rejections in one step, so that these always agree, whenever this process dies. It settles only jobs whose lock this
  worker still has. If nothing of a job is left to try and it concerns no other job, the script also completes or fails it.
  Everything that can fail comes before the first write, and the script does not interpret texts of jobs or of HubSpot, so
  that no job can block another. (complete.lua is the shorter way for most jobs.)

  KEYS[1] counters  hash          KEYS[2] minutes       prefix of hashes
  KEYS[3] rejections  sorted set  KEYS[4] rejection     prefix of hashes and sets   KEYS[5] rejectedJobs  hash
  KEYS[6…11] requests, as request-list.lua takes them   KEYS[12…] BullMQ's own, as finish.lua takes them
  ARGV[1] number of completed jobs to keep
  ARGV[2…] for each job: id, token, data, created, rejected, retried, request ('' = none), batches, state, value, rejections,
    reasons
    data = new data of the job; '' = all its pairs were created: its data stays, and a mark says how many were counted, so
    that they count once even if the process dies before BullMQ completes the job and it runs again. The mark also has the
    batches: nearly all jobs are like this and need only one field and one command.
    request = id of the request that the job belongs to, as the job says; ignored if it does not exist.
    rejections = all groups of the job from now on, in the form of rejections.lua; '' = unchanged
    reasons = what changes in the reasons of the request's rejections, in the form of count-request.lua; '' = nothing. The job
    says which rejections it had before, so that reasons and rejected of a request always agree.
    batches = ids of the batches in which it was sent since the last settlement, separated by spaces
    state, value = completed, its return value as JSON · failed, the reason · '' '' = BullMQ moves the job

  Returns for each job 1 = settled, 0 = another worker has it now
]]
local REQUESTS, BULLMQ = requestKeys(6), finishKeys(12)
local INDEX = {groups = KEYS[3], group = KEYS[4], jobs = KEYS[5]}
-- most characters of a job's batches, newest last
local LONGEST_BATCHES = 400

-- Reads who has the job and what was counted of it before. A job key that is not a hash belongs to no worker.
local seen = {}
local function look(entry, holder)
  local found
  if entry.data == '' then
    found = redis.pcall('HMGET', entry.job, 'associationsCounted', ATTEMPTS, STARTS)
  else
    found = redis.pcall('HMGET', entry.job, 'associationsCounted', ATTEMPTS, STARTS, DATA, FINISHED_AT)
  end
  if found.err then found = {} end
  -- a job that an operator removed does not exist: a job without starts was never fetched
  entry.ours = found[3] and not seen[entry.id] and holder == entry.token
  if entry.ours then seen[entry.id] = true end
  -- A settlement always changes the data, so the same data means the same call, sent again after a lost connection.
  entry.again = found[3] and found[4] == entry.data
  entry.mark = found[1]
  if found[1] then
    local counted = found[1]:match('^%d+')
    entry.counted = isInteger(counted) and tonumber(counted) or 0
  end
  entry.attempts = (tonumber(found[2] or '') or 0) + 1
  -- This same call, sent again, finished the job if the mark has exactly these batches. Data that a settlement wrote is never
  -- written twice.
  if not entry.ours and entry.state ~= '' and not seen[entry.id] then
    if entry.data == '' then entry.done = found[1] == entry.newMark else entry.done = entry.again and found[5] end
  end
end

local keep = integer(ARGV[1])
local entries, locks, known = {}, {}, {}
local at = 2
while at <= #ARGV do
  local entry = {
    id = ARGV[at], token = ARGV[at + 1], data = ARGV[at + 2],
    created = integer(ARGV[at + 3]), rejected = integer(ARGV[at + 4]), retried = integer(ARGV[at + 5]),
    request = ARGV[at + 6], batches = ARGV[at + 7], state = ARGV[at + 8], value = ARGV[at + 9],
    job = BULLMQ.jobs .. ARGV[at], newMark = ARGV[at + 3] .. ' ' .. ARGV[at + 7],
    ours = false, again = false, done = false, mark = false, counted = 0, attempts = 1, -- found by `look`
    groups = false, reasons = {},
  }
  at = at + 10
  if ARGV[at] == '' then at = at + 1 else entry.groups, at = readGroups(at) end
  if ARGV[at] == '' then at = at + 1 else entry.reasons, at = readReasons(at) end
  if entry.request ~= '' and known[entry.request] == nil then known[entry.request] = readRequest(REQUESTS, entry.request) end
  local n = #entries + 1
  entries[n], locks[n] = entry, lockOf(entry.job)
end
expectCounts(KEYS[1], 'created', 'rejected', 'retried', 'jobsCompleted')
local bucket = minuteBucket(KEYS[2], 'created', 'rejected', 'reopened', 'retried')
expectIndex(INDEX)
local before = expectFinishable(BULLMQ, #entries)
expectType('zset', BULLMQ.failed)
local holders = redis.call('MGET', unpack(locks))
for n, entry in ipairs(entries) do look(entry, holders[n]) end

-- nothing fails from here on
local settled, completed, failed, requests = {}, {}, {}, {}
local now = nowText()
local total = {created = 0, rejected = 0, retried = 0, jobsCompleted = 0}
local reopened = 0

local function writeData(entry)
  if entry.data == '' then
    if not entry.mark then total.jobsCompleted = total.jobsCompleted + 1 end -- BullMQ keeps the latest ones only
    if entry.state == '' then redis.call('HSET', entry.job, 'associationsCounted', entry.newMark) end
    return
  end
  redis.call('HSET', entry.job, DATA, entry.data)
  if entry.mark then redis.call('HDEL', entry.job, 'associationsCounted') end
  if entry.batches ~= '' then
    local earlier = redis.call('HGET', entry.job, 'associationsBatches') or ''
    redis.call('HSET', entry.job, 'associationsBatches', (earlier .. ' ' .. entry.batches):sub(-LONGEST_BATCHES))
  end
end

local function settle(entry)
  writeData(entry)
  if entry.state == 'completed' then
    complete(BULLMQ, entry.id, entry.job, entry.value, string.format('%d', entry.attempts), entry.newMark, now)
    completed[#completed + 1] = entry.id
  elseif entry.state == 'failed' then
    fail(BULLMQ, entry.id, entry.job, entry.value, entry.attempts, now, 'active')
    failed[#failed + 1] = entry.id
  end
  local created, rejected = entry.created - entry.counted, entry.rejected
  total.created = total.created + created
  total.rejected = total.rejected + rejected
  total.retried = total.retried + entry.retried
  reopened = reopened + math.max(0, -rejected)
  local request = known[entry.request]
  if request and (created ~= 0 or rejected ~= 0) then
    local sum = requests[request] or {0, 0}
    requests[request] = {sum[1] + created, sum[2] + rejected}
    for _, reason in ipairs(entry.reasons) do countReason(request, reason) end
  end
  if entry.groups then indexRejections(INDEX, entry.id, entry.groups) end
end

for n, entry in ipairs(entries) do
  if entry.ours and not entry.again then settle(entry) end
  settled[n] = (entry.ours or entry.done) and 1 or 0
end
for request, sum in pairs(requests) do countRequest(REQUESTS, request, sum[1], sum[2], 0) end
leave(BULLMQ, completed, failed, now, keep, before)
for name, by in pairs(total) do
  if by ~= 0 then redis.call('HINCRBY', KEYS[1], name, by) end
end
-- retried rejections are counted separately, so that a minute's rejected never falls
countMinute(bucket, {created = total.created, rejected = total.rejected + reopened, reopened = reopened, retried = total.retried})
return settled
