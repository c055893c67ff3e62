#!lua flags=allow-oom
--[[
  Writes a key of no meaning, so that a WAIT after it on the same connection covers everything that this Redis has by now:
  also what other connections wrote and this one only read. Newer servers count only a connection's own writes.

  KEYS[1] the key   ARGV[1] its life, ms
]]
redis.call('SET', KEYS[1], '', 'PX', ARGV[1])
