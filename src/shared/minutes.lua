--[[
  Library: counts into the bucket of the current minute, on Redis' clock. Buckets keep themselves for two days.
]]
local KEEP_MINUTE_SECONDS = 48 * 3600

-- prefix of the buckets' keys; counts: name → by
local function countMinute(prefix, counts)
  local bucket
  for name, by in pairs(counts) do
    if by ~= 0 then
      bucket = bucket or (prefix .. math.floor(redis.call('TIME')[1] / 60))
      -- the first count of its kind: nearly always the bucket's first
      if redis.call('HINCRBY', bucket, name, by) == by then redis.call('EXPIRE', bucket, KEEP_MINUTE_SECONDS) end
    end
  end
end
