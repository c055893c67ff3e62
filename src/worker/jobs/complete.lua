#!lua flags=allow-oom
-- needs ../../shared/state/minutes.lua
-- needs ../../shared/state/count-request.lua
-- needs ../../bullmq/finish.lua
--[[
  Completes jobs whose pairs were all created at the first attempt and that concern no other job: nearly all jobs. It does
  what settle.lua does for any job, with a third of the commands: totals, the minute's counts and the jobs change in one
  step, and everything that can fail comes before the first write.

  KEYS[1] counters  hash     KEYS[2] minutes  prefix of hashes
  KEYS[3…8] requests, as request-list.lua takes them   KEYS[9…] BullMQ's own, as finish.lua takes them
  ARGV[1] number of completed jobs to keep
  ARGV[2…] jobs in groups: how many, token of their locks, pairs of each, request ('' = none), batches; then their ids.
    request and batches as in settle.lua

  Returns for each job 1 = completed, 0 = another worker has it now
]]
local REQUESTS, BULLMQ = requestKeys(3), finishKeys(9)
local ABOUT = 5 -- arguments before the ids of a group

local keep = integer(ARGV[1])
local ids, hashes, locks, groups, known = {}, {}, {}, {}, {}
local at = 2
while at <= #ARGV do
  local created, request = ARGV[at + 2], ARGV[at + 3]
  local group = {token = ARGV[at + 1], created = integer(created), request = request,
    mark = created .. ' ' .. ARGV[at + 4], value = '{"created":' .. created .. '}'}
  if request ~= '' and known[request] == nil then known[request] = readRequest(REQUESTS, request) end
  local first = at + ABOUT
  at = first + integer(ARGV[at])
  for place = first, at - 1 do
    local n = #ids + 1
    ids[n], groups[n] = ARGV[place], group
    hashes[n] = BULLMQ.jobs .. ARGV[place]
    locks[n] = lockOf(hashes[n])
  end
end
expectCounts(KEYS[1], 'created', 'jobsCompleted')
local bucket = minuteBucket(KEYS[2], 'created')
local before = expectFinishable(BULLMQ, #ids)
local holders = redis.call('MGET', unpack(locks))
-- a job that an operator removed does not exist, although its lock may
local allThere = redis.call('EXISTS', unpack(hashes)) == #hashes

-- nothing fails from here on
local settled, completed, seen, requests = {}, {}, {}, {}
local now = nowText()
local total = {created = 0, jobsCompleted = 0}
for n, id in ipairs(ids) do
  local group = groups[n]
  local ours = holders[n] == group.token and not seen[id] and (allThere or redis.call('EXISTS', hashes[n]) == 1)
    and complete(BULLMQ, id, hashes[n], group.value, '1', group.mark, now)
  if ours then
    seen[id] = true
    completed[#completed + 1] = id
    total.created = total.created + group.created
    total.jobsCompleted = total.jobsCompleted + 1
    local request = known[group.request]
    if request then requests[request] = (requests[request] or 0) + group.created end
  end
  -- the mark has exactly these batches: this same call, sent again after a lost connection, completed the job
  local done = not ours and not seen[id] and redis.pcall('HGET', hashes[n], 'associationsCounted') == group.mark
  settled[n] = (ours or done) and 1 or 0
end
for request, created in pairs(requests) do countRequest(REQUESTS, request, created, 0, 0) end
leave(BULLMQ, completed, {}, now, keep, before)
for name, by in pairs(total) do
  if by ~= 0 then redis.call('HINCRBY', KEYS[1], name, by) end
end
countMinute(bucket, {created = total.created})
return settled
