--[[
  Settles jobs: what became of their pairs is written into their data and into the totals in one step, so that neither
  is ever ahead of the other, whenever this process dies. Only for jobs whose lock is still ours.

  KEYS[1] counters   hash
  KEYS[2…] job keys; a job's lock stands at its key .. ':lock'
  ARGV for each job: token, data, created, rejected, retried, request key ('' = none)
    data = new data of the job; '' = all its pairs were created and the job is about to complete: its data stays, and
    a mark says how many were counted, so that they are counted once even if the process dies before the completion and
    the job runs again.
    request key = hash of a gateway request, which is also the channel on which its completion is published; one that
    does not exist is nobody's to count.

  Returns for each job 1 = settled, 0 = somebody else has it by now
]]
-- kept once it is complete, and while it is not (accept.lua): seconds
local KEEP_COMPLETE, KEEP_PENDING = 86400, 604800

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
for job = 2, #KEYS do
  local at = (job - 2) * 6
  local token, data = ARGV[at + 1], ARGV[at + 2]
  local ours = redis.call('GET', KEYS[job] .. ':lock') == token
  -- A settlement always changes the data: the same data is the same call, sent again after a lost connection.
  local again = data ~= '' and redis.call('HGET', KEYS[job], 'data') == data
  if ours and not again then
    local counted = tonumber(redis.call('HGET', KEYS[job], 'associationsCounted') or 0)
    if data == '' then
      redis.call('HSET', KEYS[job], 'associationsCounted', ARGV[at + 3])
    else
      redis.call('HSET', KEYS[job], 'data', data)
      redis.call('HDEL', KEYS[job], 'associationsCounted')
    end
    local created, rejected, request = tonumber(ARGV[at + 3]) - counted, tonumber(ARGV[at + 4]), ARGV[at + 6]
    total.created = total.created + created
    total.rejected = total.rejected + rejected
    total.retried = total.retried + tonumber(ARGV[at + 5])
    if request ~= '' and (created ~= 0 or rejected ~= 0) then countRequest(request, created, rejected) end
  end
  settled[job - 1] = ours and 1 or 0
end
for name, by in pairs(total) do
  if by ~= 0 then redis.call('HINCRBY', KEYS[1], name, by) end
end
return settled
