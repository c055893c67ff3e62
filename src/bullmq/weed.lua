#!lua flags=allow-oom
-- needs ../shared/runtime/guard.lua
--[[
  Removes ids from the queue that cannot be jobs, because their key is not a hash. Every script of BullMQ that meets such an
  id fails half done. Among delayed ids that loses jobs: BullMQ removes up to 1,000 due ids from `delayed` before it reads the
  first of them, and the ids after the bad one are then in no list. The keys themselves are not changed.

  KEYS[1] wait  list   KEYS[2] active  list   KEYS[3] prioritized  sorted set   KEYS[4] stalled  set
  KEYS[5] delayed  sorted set
  ARGV[1] prefix of job hashes   ARGV[2] ids to check in each of wait, active and prioritized, at the ends from which jobs
  are taken; 0 = none   ARGV[3] ids to check in delayed, the first that are due   ARGV[4] their highest score
  Returns {number of checked delayed ids, then each removed id and the type of its key}
]]
local jobs, most, mostDelayed, highest, weeds = text(ARGV[1]), integer(ARGV[2]), integer(ARGV[3]), integer(ARGV[4]), {}
expectType('list', KEYS[1])
expectType('list', KEYS[2])
expectType('zset', KEYS[3])
expectType('zset', KEYS[5])
expectType('set', KEYS[4])
local function look(ids)
  for _, id in ipairs(ids) do
    local kind = redis.call('TYPE', jobs .. id).ok
    if kind ~= 'hash' and kind ~= 'none' then
      weeds[#weeds + 1] = id
      weeds[#weeds + 1] = kind
    end
  end
end
if most > 0 then
  look(redis.call('LRANGE', KEYS[1], -most, -1))
  look(redis.call('LRANGE', KEYS[2], 0, most - 1))
  look(redis.call('ZRANGE', KEYS[3], 0, most - 1))
end
local delayed = redis.call('ZRANGEBYSCORE', KEYS[5], '-inf', highest, 'LIMIT', 0, mostDelayed)
look(delayed)
for at = 1, #weeds, 2 do
  redis.call('LREM', KEYS[1], 0, weeds[at])
  redis.call('LREM', KEYS[2], 0, weeds[at])
  redis.call('ZREM', KEYS[3], weeds[at])
  redis.call('SREM', KEYS[4], weeds[at])
  redis.call('ZREM', KEYS[5], weeds[at])
end
table.insert(weeds, 1, #delayed)
return weeds
