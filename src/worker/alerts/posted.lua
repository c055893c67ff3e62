#!lua flags=allow-oom
-- needs ../../shared/runtime/guard.lua
-- needs outbox.lua
--[[
  Removes a posted announcement, so that no replica posts it again.

  KEYS[1] alerts  hash, see observe.lua
  ARGV[1] id of the announcement
]]
local id = integer(ARGV[1])
local left = {}
for _, event in ipairs(readOutbox(redis.call('HGET', KEYS[1], 'outbox'))) do
  if event.id ~= id then table.insert(left, event) end
end
if #left > 0 then redis.call('HSET', KEYS[1], 'outbox', cjson.encode(left))
else redis.call('HDEL', KEYS[1], 'outbox') end
return 0
