#!lua flags=allow-oom
-- needs ../runtime/guard.lua
-- needs places.lua
--[[
  A replica reports that it is alive, on Redis' clock, because the clocks of machines differ, and learns whether it has a
  place. The script also runs on a full Redis, where replicas would otherwise consider each other dead.

  KEYS[1] worker:<replica>  string   KEYS[2] workers  sorted set: replica → its latest report, ms
  KEYS[3] row  sorted set: replica → its turn, ms; +inf: it ends   KEYS[4] capacity  hash
  ARGV[1] replica   ARGV[2] its report, JSON   ARGV[3] ms of silence after which it counts as dead
  ARGV[4] ms for which dead replicas are remembered   ARGV[5] ms of silence after which it has no place
  ARGV[6] keep = its turn stays, last = it goes to the end of the row, leave = it may have no place any more
  ARGV[7] number of places, which counts if it is the first; '' = as it is
  Returns {rank, places, replicas that fetch}: see places.lua
]]
local replica, report, silentMs, rememberedMs = text(ARGV[1]), text(ARGV[2]), integer(ARGV[3]), integer(ARGV[4])
local absentMs, turn, places = integer(ARGV[5]), text(ARGV[6]), text(ARGV[7])
if places ~= '' then integer(places) end
expectType('zset', KEYS[2])
expectType('zset', KEYS[3])
expectType('hash', KEYS[4])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- nothing fails from here on
redis.call('SET', KEYS[1], report, 'PX', silentMs)
redis.call('ZADD', KEYS[2], now, replica)
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - rememberedMs)
redis.call('PEXPIRE', KEYS[2], rememberedMs)
if turn == 'leave' then
  redis.call('ZADD', KEYS[3], '+inf', replica)
elseif turn == 'last' or not redis.call('ZSCORE', KEYS[3], replica) then
  local last = redis.call('ZREVRANGEBYSCORE', KEYS[3], '(+inf', '-inf', 'WITHSCORES', 'LIMIT', 0, 1)
  -- after a failover the clock may be behind the turns of the others
  if last[1] ~= replica then redis.call('ZADD', KEYS[3], math.max(now, kept(last[2]) + 1), replica) end
end
redis.call('PEXPIRE', KEYS[3], rememberedMs)
local standing = standingOf(KEYS[3], KEYS[2], KEYS[4], replica, now - absentMs)
if standing[1] == 1 then
  for _, other in ipairs(redis.call('ZRANGE', KEYS[3], 0, -1)) do
    if not hasReported(KEYS[2], other, now - absentMs) then redis.call('ZREM', KEYS[3], other) end
  end
  if places ~= '' then
    redis.call('HSET', KEYS[4], 'places', places)
    standing = standingOf(KEYS[3], KEYS[2], KEYS[4], replica, now - absentMs)
  end
end
return standing
