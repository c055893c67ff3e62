#!lua flags=allow-oom
-- needs probed.lua
--[[
  Runs when HubSpot has answered a call. Ends the hold of the account if a fault was its reason.

  KEYS[1] hold  hash: until, kind, strikes
]]
local kind = redis.call('HGET', KEYS[1], 'kind')
redis.call('HDEL', KEYS[1], 'strikes')
if isProbed(kind) then redis.call('HDEL', KEYS[1], 'until', 'kind', 'reason') end
return 0
