#!lua flags=allow-oom
-- needs ../runtime/guard.lua
--[[
  A replica reports that it is alive, on Redis' clock, because the clocks of machines differ. The script also runs on a
  full Redis, where replicas would otherwise consider each other dead.

  KEYS[1] worker:<replica>  string   KEYS[2] workers  sorted set: replica → its latest report, ms
  ARGV[1] replica   ARGV[2] its report, JSON   ARGV[3] ms of silence after which it counts as dead
  ARGV[4] ms for which dead replicas are remembered
]]
local replica, report, silentMs, rememberedMs = text(ARGV[1]), text(ARGV[2]), integer(ARGV[3]), integer(ARGV[4])
expectType('zset', KEYS[2])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('SET', KEYS[1], report, 'PX', silentMs)
redis.call('ZADD', KEYS[2], now, replica)
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - rememberedMs)
redis.call('PEXPIRE', KEYS[2], rememberedMs)
return 0
