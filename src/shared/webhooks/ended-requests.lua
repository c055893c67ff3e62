-- needs outbox.lua
--[[
  Library: the ends of requests that are still to be announced. count-request.lua adds each to the sorted set, with the time
  of its end as its score; after a failed post the score is the time of the next one. Other clients may write anything under
  these names, so that everything is read with pcall.
]]
-- Where a webhook is set for the first time, ends that are older than this are history.
local LOOK_BACK = 3600000
local CHECKED_AT_ONCE = 100

-- Returns the next request whose end is announced, or nil; and the ids that leave the set unannounced.
-- least: a request without a name is announced if it has more associations than this
local function nextEnd(record, due, least, now)
  local ids, dropped = redis.pcall('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, CHECKED_AT_ONCE), {}
  if ids.err then return nil, dropped end
  for _, id in ipairs(ids) do
    local found = redis.pcall('HMGET', record .. id, 'doneAt', 'name', 'accepted')
    local doneAt = found.err and 0 or kept(found[1])
    if doneAt > 0 and (found[2] or kept(found[3]) > least) then
      return {kind = 'request', id = string.format('%s-%.0f', id, doneAt), at = doneAt, request = id}, dropped
    end
    dropped[#dropped + 1] = id
  end
  return nil, dropped
end

-- A request that was opened again and has ended again since is announced again.
local function isSameEnd(record, id, at)
  local doneAt = redis.pcall('HGET', record .. id, 'doneAt')
  return type(doneAt) ~= 'string' or kept(doneAt) == at
end
