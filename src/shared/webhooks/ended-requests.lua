-- needs outbox.lua
--[[
  Library: the ends of requests that are still to be announced. count-request.lua adds each to the sorted set, with the time
  of its end as its score. After a post that was not taken the score is the time of the next post minus AGAIN: negative, so
  that ends which nobody has posted are found before and beside any number of them. Other clients may write anything under
  these names, so that everything is read with pcall.
]]
local AGAIN = 1e13
-- Where a webhook is set for the first time, ends that are older than this are history.
local LOOK_BACK = 3600000
local CHECKED_AT_ONCE = 100
-- the latest moment that a date of JavaScript can say
local LATEST = 8.64e15

-- Returns the first request in a range of the set whose end is announced, or nil. Adds the ids that leave the set
-- unannounced to `dropped`.
local function firstEnd(record, due, from, to, least, dropped)
  local ids = redis.pcall('ZRANGEBYSCORE', due, from, to, 'LIMIT', 0, CHECKED_AT_ONCE)
  if ids.err then return nil end
  for _, id in ipairs(ids) do
    local found = redis.pcall('HMGET', record .. id, 'doneAt', 'name', 'accepted')
    local doneAt = found.err and 0 or kept(found[1])
    if doneAt > 0 and doneAt <= LATEST and (found[2] or kept(found[3]) > least) then
      return {kind = 'request', id = string.format('%s-%.0f', id, doneAt), at = doneAt, request = id}
    end
    dropped[#dropped + 1] = id
  end
  return nil
end

-- Returns the next request whose end is announced, or nil; and the ids that leave the set unannounced.
-- least: a request without a name is announced if it has more associations than this
-- mayBeAgain: an end that was posted before may be posted again
local function nextEnd(record, due, least, now, mayBeAgain)
  local dropped = {}
  local found = firstEnd(record, due, 0, now, least, dropped)
  if not found and mayBeAgain then found = firstEnd(record, due, '-inf', now - AGAIN, least, dropped) end
  return found, dropped
end

local function wasPosted(due, id)
  local score = redis.pcall('ZSCORE', due, id)
  return type(score) == 'string' and kept(score) < 0
end

-- A request that was opened again and has ended again since is announced again.
local function isSameEnd(record, id, at)
  local doneAt = redis.pcall('HGET', record .. id, 'doneAt')
  return type(doneAt) ~= 'string' or kept(doneAt) == at
end
