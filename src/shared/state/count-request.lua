-- needs ../runtime/guard.lua
--[[
  Library: what became of some associations of a gateway's request, in its hash. One that does not exist is nobody's to
  count. Its completion is published on a channel of the same name.
]]
-- kept once it is complete, and while it is not (accept.lua): seconds
local KEEP_COMPLETE, KEEP_PENDING = 86400, 604800

-- How many associations it has accepted; nil: it is nobody's to count. It never fails: jobs name requests, and anybody
-- may write a job.
local function acceptedBy(request)
  local found = redis.pcall('HMGET', request, 'accepted', 'created', 'rejected')
  if found.err or not isInteger(found[1]) then return nil end
  if (found[2] and not isInteger(found[2])) or (found[3] and not isInteger(found[3])) then return nil end
  return tonumber(found[1])
end

local function countRequest(request, accepted, created, rejected)
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
