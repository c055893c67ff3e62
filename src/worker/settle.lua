--[[
  Settles jobs: what became of their pairs is written into their data, into the totals, into the minute's counts and into
  the index of rejections in one step, so that none of them is ever ahead of another, whenever this process dies. Only
  for jobs whose lock is still ours. (With the libraries shared/minutes.lua and shared/rejections.lua.)

  KEYS[1] counters  hash          KEYS[2] minutes       prefix of hashes
  KEYS[3] rejections  sorted set  KEYS[4] rejection     prefix of hashes and sets   KEYS[5] rejectedJobs  hash
  KEYS[6…] job keys; a job's lock stands at its key .. ':lock'
  ARGV for each job: token, data, created, rejected, retried, request key ('' = none), rejections, batches
    data = new data of the job; '' = all its pairs were created and the job is about to complete: its data stays, and
    a mark says how many were counted, so that they are counted once even if the process dies before the completion and
    the job runs again. The batches stand in the mark, for this is what nearly all jobs are: one field, one command.
    request key = hash of a gateway request, which is also the channel on which its completion is published; one that
    does not exist is nobody's to count.
    rejections = JSON {id of the job, groups: all that it holds from now on}, '' = as before
    batches = ids of the batches that it rode in since the last settlement, with spaces between them

  Returns for each job 1 = settled, 0 = somebody else has it by now
]]
-- kept once it is complete, and while it is not (accept.lua): seconds
local KEEP_COMPLETE, KEEP_PENDING = 86400, 604800
local FIXED_KEYS, ARGS = 5, 8
local INDEX = {groups = KEYS[3], group = KEYS[4], jobs = KEYS[5]}
-- a job's own batches, newest last: characters
local LONGEST_BATCHES = 400

local function countRequest(request, created, rejected)
  local accepted = tonumber(redis.call('HGET', request, 'accepted') or '')
  if not accepted then return end
  local decided = redis.call('HINCRBY', request, 'created', created) + redis.call('HINCRBY', request, 'rejected', rejected)
  if decided >= accepted then
    local now = redis.call('TIME')
    redis.call('HSET', request, 'completedAt', now[1] * 1000 + math.floor(now[2] / 1000))
    redis.call('EXPIRE', request, KEEP_COMPLETE)
    redis.call('PUBLISH', request, 'complete')
  elseif redis.call('HDEL', request, 'completedAt') == 1 then
    redis.call('EXPIRE', request, KEEP_PENDING) -- its rejections were taken back to be tried again
  end
end

local settled = {}
local total = {created = 0, rejected = 0, retried = 0}
local reopened = 0
for job = FIXED_KEYS + 1, #KEYS do
  local at = (job - FIXED_KEYS - 1) * ARGS
  local token, data = ARGV[at + 1], ARGV[at + 2]
  local ours = redis.call('GET', KEYS[job] .. ':lock') == token
  -- A settlement always changes the data: the same data is the same call, sent again after a lost connection.
  local again = data ~= '' and redis.call('HGET', KEYS[job], 'data') == data
  if ours and not again then
    local mark = redis.call('HGET', KEYS[job], 'associationsCounted')
    local counted = mark and tonumber(mark:match('^%d+')) or 0
    if data == '' then
      redis.call('HSET', KEYS[job], 'associationsCounted', ARGV[at + 3] .. ' ' .. ARGV[at + 8])
    else
      redis.call('HSET', KEYS[job], 'data', data)
      if mark then redis.call('HDEL', KEYS[job], 'associationsCounted') end
      if ARGV[at + 8] ~= '' then
        local batches = (redis.call('HGET', KEYS[job], 'associationsBatches') or '') .. ' ' .. ARGV[at + 8]
        redis.call('HSET', KEYS[job], 'associationsBatches', batches:sub(-LONGEST_BATCHES))
      end
    end
    local created, rejected, request = tonumber(ARGV[at + 3]) - counted, tonumber(ARGV[at + 4]), ARGV[at + 6]
    total.created = total.created + created
    total.rejected = total.rejected + rejected
    total.retried = total.retried + tonumber(ARGV[at + 5])
    reopened = reopened + math.max(0, -rejected)
    if request ~= '' and (created ~= 0 or rejected ~= 0) then countRequest(request, created, rejected) end
    if ARGV[at + 7] ~= '' then
      local held = cjson.decode(ARGV[at + 7])
      indexRejections(INDEX, held.id, held.groups)
    end
  end
  settled[job - FIXED_KEYS] = ours and 1 or 0
end
for name, by in pairs(total) do
  if by ~= 0 then redis.call('HINCRBY', KEYS[1], name, by) end
end
-- taken back is counted by itself: a minute's rejected never falls
countMinute(KEYS[2], {created = total.created, rejected = total.rejected + reopened, reopened = reopened, retried = total.retried})
return settled
