#!lua flags=allow-oom
-- needs ../runtime/guard.lua
--[[
  Drops what a command has listed of a cancelled request: the first entries of what waits for it (cancel-jobs.lua). If another
  command has dropped entries since they were read, it drops none.

  KEYS[1] record of the request  hash   KEYS[2] its list  list
  ARGV[1] associations that had been listed when these entries were read   ARGV[2] how many entries to drop
  ARGV[3] associations in them
  Returns 1 = dropped, 0 = another command has listed them
]]
local before, associations = integer(ARGV[1]), integer(ARGV[3])
integer(ARGV[2])
expectType('hash', KEYS[1])
expectType('list', KEYS[2])
local known = redis.call('HMGET', KEYS[1], 'listed', 'unlisted')
if known[2] and kept(known[1]) ~= before then return 0 end

-- nothing fails from here on
if known[2] then -- the record is still kept
  redis.call('HSET', KEYS[1], 'listed', before + associations, 'unlisted', math.max(0, kept(known[2]) - associations))
end
redis.call('LTRIM', KEYS[2], ARGV[2], -1)
return 1
