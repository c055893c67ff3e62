--[[
  Tests whether Redis accepts writes. Changes nothing, because the key never exists. Returns the refusal as text: an error
  would make ioredis reconnect and fail the other commands on the connection.

  KEYS[1] a key of the queue
  Returns the reason of a refusal; '' = Redis accepts writes
]]
local reply = redis.pcall('SET', KEYS[1], '', 'XX')
return type(reply) == 'table' and reply.err or ''
