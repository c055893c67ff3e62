-- needs ../runtime/guard.lua
--[[
  Library: counts outcomes of a gateway request in the request's hash. Ignores a request that does not exist. Publishes
  the completion on a channel with the name of the key.
]]
-- time to live of a complete and of a pending request (note.lua), seconds
local KEEP_COMPLETE, KEEP_PENDING = 86400, 604800

-- Returns how many associations the request accepted; nil if there is no such request. It never fails, because jobs name
-- requests and any client may write a job.
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
    redis.call('HSET', request, 'doneAt', now[1] * 1000 + math.floor(now[2] / 1000))
    redis.call('EXPIRE', request, KEEP_COMPLETE)
    redis.call('PUBLISH', request, 'complete')
  elseif redis.call('HDEL', request, 'doneAt') == 1 then
    redis.call('EXPIRE', request, KEEP_PENDING) -- its rejections were taken back to be tried again
  end
end
