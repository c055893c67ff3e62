--[[
  Completes jobs all of whose pairs were created at their first attempt, and that concern nobody else: nearly all jobs. What
  settle.lua does for any job, in a third of the commands: totals, the minute's counts and the jobs change in one step.
  (With the libraries shared/minutes.lua, shared/count-request.lua and finish.lua.)

  KEYS[1] counters  hash     KEYS[2] minutes  prefix of hashes
  BullMQ's own: KEYS[3] jobs (prefix of hashes)   KEYS[4] wait      KEYS[5] active   KEYS[6] prioritized
                KEYS[7] completed   KEYS[8] failed   KEYS[9] stalled   KEYS[10] events   KEYS[11] meta   KEYS[12] marker
  ARGV[1] completed jobs that are kept
  ARGV[2…] jobs in groups: how many, token of their locks, pairs of each, request key ('' = none), batches; then their ids.
    request key and batches as in settle.lua

  Returns for each job 1 = completed, 0 = somebody else has it by now
]]
local BULLMQ = {jobs = KEYS[3], wait = KEYS[4], active = KEYS[5], prioritized = KEYS[6], completed = KEYS[7], failed = KEYS[8],
  stalled = KEYS[9], events = KEYS[10], meta = KEYS[11], marker = KEYS[12]}
local ABOUT = 5 -- arguments before the ids of a group

local ids, hashes, locks, groups = {}, {}, {}, {}
local at = 2
while at <= #ARGV do
  local created = ARGV[at + 2]
  local group = {token = ARGV[at + 1], created = tonumber(created), request = ARGV[at + 3],
    mark = created .. ' ' .. ARGV[at + 4], value = '{"created":' .. created .. '}'}
  local first = at + ABOUT
  at = first + tonumber(ARGV[at])
  for place = first, at - 1 do
    local n = #ids + 1
    ids[n], groups[n] = ARGV[place], group
    hashes[n] = KEYS[3] .. ARGV[place]
    locks[n] = hashes[n] .. ':lock'
  end
end

local holders = redis.call('MGET', unpack(locks))
-- one that somebody has removed by hand is gone, though its lock may be there
local allThere = redis.call('EXISTS', unpack(hashes)) == #hashes
local settled, completed, seen = {}, {}, {}
local now = nowText()
local total = {created = 0, jobsCompleted = 0}
for n, id in ipairs(ids) do
  local group = groups[n]
  local ours = holders[n] == group.token and not seen[id] and (allThere or redis.call('EXISTS', hashes[n]) == 1)
  if ours then
    seen[id] = true
    completed[#completed + 1] = id
    complete(BULLMQ, id, hashes[n], group.value, '1', group.mark, now)
    total.created = total.created + group.created
    total.jobsCompleted = total.jobsCompleted + 1
    if group.request ~= '' then countRequest(group.request, group.created, 0) end
  end
  -- nobody else's batches stand in the mark: completed by this very call, which is sent again after a lost connection
  local done = not ours and not seen[id] and redis.call('HGET', hashes[n], 'associationsCounted') == group.mark
  settled[n] = (ours or done) and 1 or 0
end
leave(BULLMQ, completed, {}, now, tonumber(ARGV[1]))
for name, by in pairs(total) do
  if by ~= 0 then redis.call('HINCRBY', KEYS[1], name, by) end
end
countMinute(KEYS[2], {created = total.created})
return settled
