#!lua flags=allow-oom
-- needs count-request.lua
--[[
  Marks a request as cancelled. From then on its producer enqueues no more of it, and workers give back what they have of it.
  The first mark counts: a repeat changes neither the time nor the name. A request of which everything is decided stays as it is.
  If somebody wants a list, whatever is taken back from then on, by any process, is kept until a command has listed it.

  KEYS[1…6] requests, as request-list.lua takes them   KEYS[7] lease of the sweep  string
  ARGV[1] id of the request   ARGV[2] who cancels it   ARGV[3] token of the process that walks   ARGV[4] ms for which the lease lasts
  ARGV[5] list = a list is wanted; ''
  Returns unknown = there is no such request · shared = several callers share it · ended = nothing of it is left
          · cancelling
]]
local REQUESTS = requestKeys(1)
local id, by, token, leaseMs = text(ARGV[1]), text(ARGV[2]), text(ARGV[3]), integer(ARGV[4])
local wantsList = text(ARGV[5]) == 'list'
local request = readRequest(REQUESTS, id)
if not request then return 'unknown' end
if redis.call('HEXISTS', request.key, 'members') == 1 then return 'shared' end
if request.doneAt then return 'ended' end
expectType('zset', REQUESTS.cancelling)

-- nothing fails from here on
local now = nowMs()
redis.call('HSETNX', request.key, 'cancelledAt', now)
redis.call('HSETNX', request.key, 'cancelledBy', by)
if wantsList then redis.call('HSETNX', request.key, 'unlisted', 0) end
redis.call('HDEL', request.key, 'enqueueing')
request.cancelledAt, request.enqueueing = now, nil
redis.call('ZADD', REQUESTS.cancelling, 'NX', now, id)
keepAtLeast(REQUESTS.cancelling, KEEP_OPEN)
redis.call('SET', KEYS[7], token, 'PX', leaseMs)
return endOrReopen(REQUESTS, request, now) and 'ended' or 'cancelling'
