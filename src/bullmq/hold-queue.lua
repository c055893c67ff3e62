#!lua flags=allow-oom
-- needs ../shared/runtime/guard.lua
--[[
  Holds the queue as BullMQ's rateLimit does, also on a full Redis: no worker fetches a job until the key has expired.

  KEYS[1] limiter  BullMQ's string
  ARGV[1] value at which BullMQ fetches no job   ARGV[2] ms
]]
redis.call('SET', KEYS[1], integer(ARGV[1]), 'PX', integer(ARGV[2]))
return 0
