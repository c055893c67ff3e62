-- needs ../shared/runtime/guard.lua
-- needs probed.lua
--[[
  Takes a permit back that was not used. Where it expired because its call was late, later permits may be used later:
  the lateness that the window's margin covers grows by half at most, so that one bad moment costs little.

  KEYS[1] window  sorted set: permit → time of its call
  KEYS[2] hold    hash; here: until, kind, late, lateAt
  KEYS[3] daily   hash: day → calls reserved on it
  ARGV[1] permit id   ARGV[2] day   ARGV[3] 1 = a probe
  ARGV[4] how late its call was, ms; 0 = it was not needed
  ARGV[5] least lateness that is covered, ms   ARGV[6] most   ARGV[7] ms after which a measured lateness counts half

  Returns the lateness that is covered from now on, ms
]]
local permit, day = text(ARGV[1]), text(ARGV[2])
local lateness, least, most, half = number(ARGV[4]), number(ARGV[5]), number(ARGV[6]), number(ARGV[7])
expectType('zset', KEYS[1])
expectCounts(KEYS[3], day)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local h = redis.call('HMGET', KEYS[2], 'late', 'lateAt', 'kind')
local covered = math.max(least, kept(h[1]) * 2 ^ (-math.max(0, now - kept(h[2])) / half))

-- first what frees memory: a full Redis refuses nothing after it
redis.call('ZREM', KEYS[1], permit)
redis.call('HINCRBY', KEYS[3], day, -1)
-- The probe has found out nothing: the next call may. A hold of another kind, which has come in between, stands.
if ARGV[3] == '1' and isProbed(h[3]) then redis.call('HDEL', KEYS[2], 'until') end
if lateness > covered then
  -- a quarter more than measured: it wears off from now on
  covered = math.min(most, 1.25 * lateness, 1.5 * covered)
  redis.call('HSET', KEYS[2], 'late', covered, 'lateAt', now)
end
return math.ceil(covered)
