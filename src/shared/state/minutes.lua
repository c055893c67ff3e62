-- needs ../runtime/guard.lua
--[[
  Library: counts into the bucket of the current minute, on Redis' clock. Buckets expire after two days.
]]
local KEEP_MINUTE_SECONDS = 48 * 3600

-- Returns the key of the bucket. Fails if one of these names cannot be counted. prefix of the buckets' keys; names
local function minuteBucket(prefix, ...)
  local bucket = prefix .. math.floor(redis.call('TIME')[1] / 60)
  expectCounts(bucket, ...)
  return bucket
end

-- counts: name → increment
local function countMinute(bucket, counts)
  for name, by in pairs(counts) do
    -- the first count under this name is nearly always the first of the bucket
    if by ~= 0 and redis.call('HINCRBY', bucket, name, by) == by then redis.call('EXPIRE', bucket, KEEP_MINUTE_SECONDS) end
  end
end
