#!lua flags=allow-oom
-- needs ../shared/guard.lua
--[[
  Takes ids out of the queue that cannot be jobs: the key of such an id holds no hash, and every script of BullMQ that meets
  it fails, in the middle of what it does. The keys themselves are left alone: they are somebody's.

  KEYS[1] wait  list   KEYS[2] active  list   KEYS[3] prioritized  sorted set   KEYS[4] stalled  set
  ARGV[1] prefix of job hashes   ARGV[2] ids to look at in each, from where jobs are taken
  Returns the ids and the type of each one's key, in turn
]]
local jobs, most, weeds = text(ARGV[1]), integer(ARGV[2]), {}
expectType('list', KEYS[1], KEYS[2])
expectType('zset', KEYS[3])
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
look(redis.call('LRANGE', KEYS[1], -most, -1))
look(redis.call('LRANGE', KEYS[2], 0, most - 1))
look(redis.call('ZRANGE', KEYS[3], 0, most - 1))
for at = 1, #weeds, 2 do
  redis.call('LREM', KEYS[1], 0, weeds[at])
  redis.call('LREM', KEYS[2], 0, weeds[at])
  redis.call('ZREM', KEYS[3], weeds[at])
  redis.call('SREM', KEYS[4], weeds[at])
end
return weeds
