-- needs ../shared/runtime/guard.lua
-- needs probed.lua
--[[
  Takes back an unused permit. If the permit expired because its call was late, the script raises the lateness that the
  window's margin covers, so that later permits may be used later. It raises it by half at most: one slow moment costs
  little.

  KEYS[1] window  sorted set: permit → time of its call
  KEYS[2] hold    hash; here: until, kind, late, lateAt
  KEYS[3] daily   hash: day → calls reserved on it
  ARGV[1] permit id   ARGV[2] day   ARGV[3] 1 = a probe
  ARGV[4] how late its call was, ms; 0 = the permit was not needed
  ARGV[5] smallest covered lateness, ms   ARGV[6] largest   ARGV[7] half-life of a measured lateness, ms

  Returns the lateness that the margin covers from now on, ms
]]
local permit, day = text(ARGV[1]), text(ARGV[2])
local lateness, least, most, half = number(ARGV[4]), number(ARGV[5]), number(ARGV[6]), number(ARGV[7])
expectType('zset', KEYS[1])
expectCounts(KEYS[3], day)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local h = redis.call('HMGET', KEYS[2], 'late', 'lateAt', 'kind')
local covered = math.max(least, kept(h[1]) * 2 ^ (-math.max(0, now - kept(h[2])) / half))

-- ZREM comes first because it frees memory: a full Redis accepts the writes after it
redis.call('ZREM', KEYS[1], permit)
redis.call('HINCRBY', KEYS[3], day, -1)
-- The probe had no result, so the next call may probe. A hold of another kind that was set in the meantime stays.
if ARGV[3] == '1' and isProbed(h[3]) then redis.call('HDEL', KEYS[2], 'until') end
if lateness > covered then
  -- a quarter more than measured, because the value decays from now on
  covered = math.min(most, 1.25 * lateness, 1.5 * covered)
  redis.call('HSET', KEYS[2], 'late', covered, 'lateAt', now)
end
return math.ceil(covered)
