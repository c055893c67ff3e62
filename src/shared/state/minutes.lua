-- needs ../runtime/guard.lua
--[[
  Library: counts into the bucket of the current minute, on Redis' clock. Buckets keep themselves for two days.
]]
local KEEP_MINUTE_SECONDS = 48 * 3600

-- The bucket's key. Fails where one of these names could not be counted. prefix of the buckets' keys; names
local function minuteBucket(prefix, ...)
  local bucket = prefix .. math.floor(redis.call('TIME')[1] / 60)
  expectCounts(bucket, ...)
  return bucket
end

-- counts: name → by
local function countMinute(bucket, counts)
  for name, by in pairs(counts) do
    -- the first count of its kind: nearly always the bucket's first
    if by ~= 0 and redis.call('HINCRBY', bucket, name, by) == by then redis.call('EXPIRE', bucket, KEEP_MINUTE_SECONDS) end
  end
end
