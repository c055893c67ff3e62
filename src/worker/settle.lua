--[[
  Settles jobs: what became of their pairs is written into their data, into the totals, into the minute's counts and into
  the index of rejections in one step, so that none of them is ever ahead of another, whenever this process dies. Only
  for jobs whose lock is still ours. A job of which nothing is left to be tried, and that concerns nobody else, is completed
  or failed in the same step. (Most jobs have a shorter way: complete.lua. With the libraries
  shared/minutes.lua, shared/rejections.lua, shared/count-request.lua and finish.lua.)

  KEYS[1] counters  hash          KEYS[2] minutes       prefix of hashes
  KEYS[3] rejections  sorted set  KEYS[4] rejection     prefix of hashes and sets   KEYS[5] rejectedJobs  hash
  BullMQ's own: KEYS[6] jobs (prefix of hashes)   KEYS[7] wait      KEYS[8] active   KEYS[9] prioritized
                KEYS[10] completed   KEYS[11] failed   KEYS[12] stalled   KEYS[13] events   KEYS[14] meta
                KEYS[15] marker
  ARGV[1] completed jobs that are kept
  ARGV[2…] for each job: id, token, data, created, rejected, retried, request key ('' = none), rejections, batches, state, value
    data = new data of the job; '' = all its pairs were created: its data stays, and a mark says how many were counted, so
    that they are counted once even if the process dies before BullMQ completes it and it runs again. The batches stand in
    the mark, for this is what nearly all jobs are: one field, one command.
    request key = hash of a gateway request, which is also the channel on which its completion is published; one that
    does not exist is nobody's to count.
    rejections = JSON {id of the job, groups: all that it holds from now on}, '' = as before
    batches = ids of the batches that it rode in since the last settlement, with spaces between them
    state, value = completed, its return value as JSON · failed, the reason · '' '' = BullMQ moves the job

  Returns for each job 1 = settled, 0 = somebody else has it by now
]]
local FIXED_ARGS, ARGS = 1, 11
local BULLMQ = {jobs = KEYS[6], wait = KEYS[7], active = KEYS[8], prioritized = KEYS[9], completed = KEYS[10], failed = KEYS[11],
  stalled = KEYS[12], events = KEYS[13], meta = KEYS[14], marker = KEYS[15]}
local INDEX = {groups = KEYS[3], group = KEYS[4], jobs = KEYS[5]}
-- a job's own batches, newest last: characters
local LONGEST_BATCHES = 400

-- nobody else's batches stand in the mark; data that a settlement wrote is never written twice
local function isDone(job, data, mark)
  if data == '' then return redis.call('HGET', job, 'associationsCounted') == mark end
  return redis.call('HGET', job, 'data') == data and redis.call('HEXISTS', job, 'finishedOn') == 1
end

local settled, completed, failed = {}, {}, {}
local now = nowText()
local total = {created = 0, rejected = 0, retried = 0, jobsCompleted = 0}
local reopened = 0
local seen = {}
for at = FIXED_ARGS, #ARGV - 1, ARGS do
  local id, token, data, batches, state = ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 9], ARGV[at + 10]
  local job = KEYS[6] .. id
  local newMark = ARGV[at + 4] .. ' ' .. batches
  -- a job that somebody has removed by hand is gone: without `ats` it was never fetched
  local before = redis.call('HMGET', job, 'associationsCounted', 'atm', 'ats')
  local ours = before[3] and not seen[id] and redis.call('GET', job .. ':lock') == token
  if ours then seen[id] = true end
  -- A settlement always changes the data: the same data is the same call, sent again after a lost connection.
  local again = data ~= '' and redis.call('HGET', job, 'data') == data
  if ours and not again then
    local mark = before[1]
    local counted = mark and tonumber(mark:match('^%d+')) or 0
    if data == '' then
      if not mark then total.jobsCompleted = total.jobsCompleted + 1 end -- BullMQ keeps the latest ones only
      if state == '' then redis.call('HSET', job, 'associationsCounted', newMark) end
    else
      redis.call('HSET', job, 'data', data)
      if mark then redis.call('HDEL', job, 'associationsCounted') end
      if batches ~= '' then
        local earlier = redis.call('HGET', job, 'associationsBatches') or ''
        redis.call('HSET', job, 'associationsBatches', (earlier .. ' ' .. batches):sub(-LONGEST_BATCHES))
      end
    end
    local value, attempts = ARGV[at + 11], (tonumber(before[2]) or 0) + 1
    if state == 'completed' then
      complete(BULLMQ, id, job, value, attempts, newMark, now)
      completed[#completed + 1] = id
    elseif state == 'failed' then
      fail(BULLMQ, id, job, value, attempts, now)
      failed[#failed + 1] = id
    end
    local created, rejected, request = tonumber(ARGV[at + 4]) - counted, tonumber(ARGV[at + 5]), ARGV[at + 7]
    total.created = total.created + created
    total.rejected = total.rejected + rejected
    total.retried = total.retried + tonumber(ARGV[at + 6])
    reopened = reopened + math.max(0, -rejected)
    if request ~= '' and (created ~= 0 or rejected ~= 0) then countRequest(request, created, rejected) end
    if ARGV[at + 8] ~= '' then
      local held = cjson.decode(ARGV[at + 8])
      indexRejections(INDEX, held.id, held.groups)
    end
  end
  -- finished by this very call, which is sent again
  local done = not ours and state ~= '' and not seen[id] and isDone(job, data, newMark)
  settled[#settled + 1] = (ours or done) and 1 or 0
end
leave(BULLMQ, completed, failed, now, tonumber(ARGV[1]))
for name, by in pairs(total) do
  if by ~= 0 then redis.call('HINCRBY', KEYS[1], name, by) end
end
-- taken back is counted by itself: a minute's rejected never falls
countMinute(KEYS[2], {created = total.created, rejected = total.rejected + reopened, reopened = reopened, retried = total.retried})
return settled
