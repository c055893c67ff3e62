-- needs request-list.lua
--[[
  Library: counts outcomes into the record of a request, ends the request when nothing of it is queued, and opens it again
  when its rejections are retried. Jobs name requests, and any client may write a job: a request that does not exist, or a
  key that is no record, is ignored. `readRequest` reads and never fails; the other functions write.

  A caller reads the request before its first write, counts all outcomes of its call together, and counts a request once.
]]
local COUNTED = {'accepted', 'created', 'rejected', 'cancelled'}
local READ = {'accepted', 'created', 'rejected', 'cancelled', 'enqueueing', 'firstAt', 'lastAt', 'doneAt', 'cancelledAt', 'keep', 'fileHash', 'unlisted'}
local REASONS, ABOUT_REASON = ':reasons', ':about'
-- suffix of the list of what was taken back and waits for a command that lists it
local UNLISTED = ':unlisted'
-- Once a request has this many groups of rejections, all further ones share one group.
local MOST_REASONS, OTHER_REASON = 100, 'other'
local ABOUT_OTHERS = '{"category":"OTHER","message":"various other errors","from":"*","to":"*"}'
-- an open record's life is extended at most this often
local HOUR = 3600000

-- Returns false if there is no such request.
local function readRequest(keys, id)
  local key = keys.record .. id
  local found = redis.pcall('HMGET', key, unpack(READ))
  if found.err or not found[1] then return false end
  local request = {id = id, key = key}
  for at, name in ipairs(READ) do request[name] = found[at] end
  for _, name in ipairs(COUNTED) do
    if request[name] and not isInteger(request[name]) then return false end
    request[name] = tonumber(request[name] or 0)
  end
  request.lastAt = kept(request.lastAt)
  request.keep = isInteger(request.keep) and math.max(1, tonumber(request.keep)) or KEEP_ENDED
  return request
end

local function expireRequest(keys, request, seconds)
  redis.call('EXPIRE', request.key, seconds)
  redis.call('EXPIRE', request.key .. REASONS, seconds)
  if request.unlisted then redis.call('EXPIRE', request.key .. UNLISTED, seconds) end
  if request.fileHash then redis.call('EXPIRE', keys.file .. request.fileHash, seconds) end
end

-- Ends the request if everything is enqueued and decided; opens it again if it is not. Returns true if it did so.
local function endOrReopen(keys, request, now)
  local decided = request.created + request.rejected + request.cancelled
  local isOver = decided >= request.accepted and not request.enqueueing
  if isOver and not request.doneAt then
    redis.call('HSET', request.key, 'doneAt', now)
    expireRequest(keys, request, request.keep)
    if request.cancelledAt then redis.pcall('ZREM', keys.cancelling, request.id) end
    listEnd(keys, request.id, now, request.keep)
    redis.pcall('PUBLISH', request.key, 'done') -- a user of Redis may have no channels: then those who wait look by themselves
    return true
  elseif request.doneAt and not isOver then
    redis.call('HDEL', request.key, 'doneAt')
    expireRequest(keys, request, KEEP_OPEN)
    listReopened(keys, request.id)
    return true
  end
  return false
end

-- request = result of readRequest; created, rejected, cancelled = differences, negative for rejections that are retried
local function countRequest(keys, request, created, rejected, cancelled)
  local now = nowMs()
  request.created = request.created + created
  request.rejected = request.rejected + rejected
  request.cancelled = request.cancelled + cancelled
  redis.call('HSET', request.key, 'created', request.created, 'rejected', request.rejected, 'cancelled', request.cancelled,
    'lastAt', now, 'firstAt', request.firstAt or now)
  if endOrReopen(keys, request, now) or request.doneAt then return end
  if math.floor(request.lastAt / HOUR) == math.floor(now / HOUR) then return end
  expireRequest(keys, request, KEEP_OPEN)
  if isListed(keys, request.id) then keepAtLeast(keys.list, KEEP_OPEN) end
end

-- Reads the differences of a job's groups from ARGV: their number, then for each: group, difference, what it is about as
-- JSON. Returns them and the index after them.
local function readReasons(at)
  local reasons = {}
  for n = 1, integer(ARGV[at]) do
    local first = at + 3 * n - 2
    reasons[n] = {group = text(ARGV[first]), by = integer(ARGV[first + 1]), about = text(ARGV[first + 2])}
  end
  return reasons, at + 1 + 3 * #reasons
end

-- Comes before countRequest, which sets how long the reasons live. A group that ever had a field keeps it, also with no
-- association left, so that a group is always counted in the same place.
local function countReason(request, reason)
  local key, group, about = request.key .. REASONS, reason.group, reason.about
  local known = redis.pcall('HEXISTS', key, group)
  if type(known) == 'table' then return end
  if known == 0 and redis.call('HLEN', key) >= 2 * MOST_REASONS then group, about = OTHER_REASON, ABOUT_OTHERS end
  redis.call('HSETNX', key, group .. ABOUT_REASON, about)
  redis.pcall('HINCRBY', key, group, reason.by)
  if not request.reasons then
    request.reasons = true
    if redis.call('TTL', key) < 0 then redis.call('EXPIRE', key, KEEP_OPEN) end
  end
end
