#!lua flags=allow-oom
-- needs probed.lua
--[[
  A call was answered: let everybody go if it was a fault that held the account.

  KEYS[1] hold  hash: until, kind, strikes
]]
local kind = redis.call('HGET', KEYS[1], 'kind')
redis.call('HDEL', KEYS[1], 'strikes')
if isProbed(kind) then redis.call('HDEL', KEYS[1], 'until', 'kind', 'reason') end
return 0
