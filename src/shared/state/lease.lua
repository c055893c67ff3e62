#!lua flags=allow-oom
-- needs ../runtime/guard.lua
--[[
  A lease that one process has (lease.ts). It can be had on a full Redis, because the work under it makes room.

  KEYS[1] the lease  string   ARGV[1] token of the process   ARGV[2] ms   ARGV[3] take, renew or leave
  Returns 1 = the process had it or has it now, 0 = another process has it. `renew` takes it from another process.
]]
local token, ms, what = text(ARGV[1]), math.max(1, integer(ARGV[2])), text(ARGV[3])
local owner = redis.call('GET', KEYS[1])

-- nothing fails from here on
if what == 'renew' or (what == 'take' and not owner) then
  redis.call('SET', KEYS[1], token, 'PX', ms)
  return 1
end
if owner ~= token then return 0 end
if what == 'leave' then redis.call('DEL', KEYS[1]) end
return 1
