--[[
  Whether Redis takes writes. Changes nothing: the key never exists. The refusal is returned as a text and not as an error,
  which would make ioredis look for another Redis and end what else is on the connection.

  KEYS[1] a key of the queue
  Returns why not; '' = it does
]]
local reply = redis.pcall('SET', KEYS[1], '', 'XX')
return type(reply) == 'table' and reply.err or ''
