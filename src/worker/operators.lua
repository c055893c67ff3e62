-- needs ../shared/runtime/guard.lua
-- needs ../bullmq/layout.lua
--[[
  Reads what operators have decided: which requests they take back, and whether they have paused the queue. If another BullMQ
  client has resumed the queue, the name and the reason of the pause are removed, so that they do not reappear with its next one.

  KEYS[1] requestsCancelling  sorted set   KEYS[2] meta  BullMQ's hash   KEYS[3] paused  hash: who paused the queue
  ARGV[1] most requests to return, the oldest cancels first
  Returns {ids of requests, 1 = paused, {by, why, at}}
]]
local most = integer(ARGV[1])
local ids = redis.call('ZRANGE', KEYS[1], 0, most - 1)
local isPaused = redis.call('HEXISTS', KEYS[2], PAUSED)
local pause = redis.call('HMGET', KEYS[3], 'by', 'why', 'at')
if isPaused == 0 and pause[1] then redis.call('DEL', KEYS[3]) end
return {ids, isPaused, pause}
