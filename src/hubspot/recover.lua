#!lua flags=allow-oom
--[[
  A call was answered: forget the failures, and let everybody go if they were what held the account.

  KEYS[1] hold  hash: until, kind, strikes, failures
]]
local kind = redis.call('HGET', KEYS[1], 'kind')
redis.call('HDEL', KEYS[1], 'strikes', 'failures')
if kind == 'auth' or kind == 'unavailable' then redis.call('HDEL', KEYS[1], 'until', 'kind', 'reason') end
return 0
