-- needs ../shared/runtime/guard.lua
--[[
  Admits a lookup of labels. All processes together may spend a tenth of the window on lookups, so that a caller who
  invents object types takes no more of the workers' calls.

  KEYS[1] labelCalls  sorted set: question → when it was admitted, ms of Redis time
  ARGV[1] question    ARGV[2] questions in a window   ARGV[3] window, ms

  Returns 0 = admitted, or the ms until the next lookup may be admitted
]]
local question, share, window = text(ARGV[1]), integer(ARGV[2]), integer(ARGV[3])
expectType('zset', KEYS[1])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local since = now - window
local times = redis.call('ZREVRANGEBYSCORE', KEYS[1], now, '(' .. since, 'WITHSCORES', 'LIMIT', 0, share)
if #times / 2 >= share then return math.max(1, math.ceil(tonumber(times[#times]) + window - now)) end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', since)
-- entries in the future were written before Redis' clock was set back
redis.call('ZREMRANGEBYSCORE', KEYS[1], '(' .. now, '+inf')
redis.call('ZADD', KEYS[1], now, question)
redis.call('PEXPIRE', KEYS[1], window)
return 0
