--[[
  Library: what became of some associations of a gateway's request, in its hash. One that does not exist is nobody's to
  count. Its completion is published on a channel of the same name.
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
