-- needs ../runtime/guard.lua
--[[
  Library: the keys of requests, the list of those that people follow, and how long each key lives. Listed are requests with
  a name and those with more than one job; all others are found by their id only. The sets are read and written with pcall:
  if another client uses their names for something else, requests are not listed, and everything else goes on.

  keys  by requestKeys: record (prefix of hashes), list, ended, cancelling, announce (sorted sets), file (prefix of strings)
]]
-- seconds: life of an open record since its latest activity, and of an ended one that says nothing else
local KEEP_OPEN, KEEP_ENDED = 90 * 86400, 86400
-- Once this many ended requests are listed, the one that ended first leaves the list.
local MOST_ENDED = 10000
-- Ended requests that are waiting for the webhook; older ones are not announced any more.
local MOST_TO_ANNOUNCE = 10000
-- Listed requests that one call checks, so that those whose records have expired leave the list
local CHECKED_AT_ONCE = 5

-- first = index in KEYS of the first of these keys, in the order of requestKeys in requests.ts
local function requestKeys(first)
  return {record = KEYS[first], list = KEYS[first + 1], ended = KEYS[first + 2], cancelling = KEYS[first + 3],
    announce = KEYS[first + 4], file = KEYS[first + 5]}
end

local function nowMs()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function keepAtLeast(key, seconds)
  if redis.call('TTL', key) < seconds then redis.call('EXPIRE', key, seconds) end
end

local function size(set)
  local found = redis.pcall('ZCARD', set)
  return type(found) == 'number' and found or 0
end

local function isListed(keys, id)
  return type(redis.pcall('ZSCORE', keys.list, id)) == 'string'
end

local function unlist(keys, id)
  redis.pcall('ZREM', keys.list, id)
  redis.pcall('ZREM', keys.ended, id)
end

-- Removes requests from the list whose records have expired, and the first of too many.
local function prune(keys, set, over)
  local oldest = redis.pcall('ZRANGE', set, 0, CHECKED_AT_ONCE - 1)
  if oldest.err then return end
  for at, id in ipairs(oldest) do
    if at <= over or redis.call('EXISTS', keys.record .. id) == 0 then unlist(keys, id) end
  end
end

local function listRequest(keys, id, enqueuedAt)
  redis.pcall('ZADD', keys.list, enqueuedAt, id)
  prune(keys, keys.list, 0)
  keepAtLeast(keys.list, KEEP_OPEN)
end

-- The lists live as long as the last of their requests.
local function listEnd(keys, id, now, keep)
  if not isListed(keys, id) then return end
  redis.pcall('ZADD', keys.ended, now, id)
  redis.pcall('ZADD', keys.announce, now, id)
  redis.pcall('ZREMRANGEBYRANK', keys.announce, 0, -MOST_TO_ANNOUNCE - 1)
  prune(keys, keys.ended, size(keys.ended) - MOST_ENDED)
  keepAtLeast(keys.ended, keep)
  keepAtLeast(keys.announce, keep)
  if size(keys.list) == size(keys.ended) then redis.call('EXPIRE', keys.list, redis.call('TTL', keys.ended)) end
end

local function listReopened(keys, id)
  if not isListed(keys, id) then return end
  redis.pcall('ZREM', keys.ended, id)
  redis.pcall('ZREM', keys.announce, id)
  keepAtLeast(keys.list, KEEP_OPEN)
end
