-- needs ../../shared/runtime/guard.lua
--[[
  Notes a request before its jobs are enqueued; settle.lua counts into this note. With an idempotency key only the first
  request is noted, and a repeat gets the id of the first one.

  KEYS[1] hash of the new request: accepted, jobs, created, rejected, enqueuedAt (doneAt: settle.lua), members, owner
  KEYS[2] the idempotency key (absent if there is none): "<request id> <fingerprint>"
  ARGV[1] id of the new request   ARGV[2] fingerprint of its jobs   ARGV[3] inputs   ARGV[4] jobs
  ARGV[5] prefix of request hashes   ARGV[6] 1 = there is room for more
  ARGV[7] '', or the pairs of several requests of one association that share this note, as JSON
  ARGV[8] '', or the caller: a hash of its key

  Returns {outcome, request id, enqueuedAt (ms), 1 = a part of it has been settled}
    new      noted; the caller enqueues its jobs
    known    noted before; the caller enqueues its jobs unless a part was settled (then all were enqueued in one step)
    differs  the idempotency key was used for other associations
    full     there is no room, nothing was noted
]]
local KEEP_KEY, KEEP_PENDING = 86400, 604800 -- seconds: a day, a week
if KEYS[2] then
  local noted = redis.call('GET', KEYS[2])
  if noted then
    local id, fingerprint = noted:match('^(%S+) (%S+)$')
    if fingerprint ~= ARGV[2] then return {'differs', id, 0, 0} end
    local counts = redis.call('HMGET', ARGV[5] .. id, 'created', 'rejected', 'enqueuedAt')
    if counts[3] then
      local settled = (tonumber(counts[1]) + tonumber(counts[2]) > 0) and 1 or 0
      return {'known', id, tonumber(counts[3]), settled}
    end
  end
end
if ARGV[6] ~= '1' then return {'full', '', 0, 0} end
local id, fingerprint, inputs, jobs = text(ARGV[1]), text(ARGV[2]), integer(ARGV[3]), integer(ARGV[4])
local members, owner = text(ARGV[7]), text(ARGV[8])
expectType('hash', KEYS[1])
local now = redis.call('TIME')
local enqueuedAt = now[1] * 1000 + math.floor(now[2] / 1000)
redis.call('HSET', KEYS[1], 'accepted', inputs, 'jobs', jobs, 'created', 0, 'rejected', 0, 'enqueuedAt', enqueuedAt)
if members ~= '' then redis.call('HSET', KEYS[1], 'members', members) end
if owner ~= '' then redis.call('HSET', KEYS[1], 'owner', owner) end
redis.call('EXPIRE', KEYS[1], KEEP_PENDING)
if KEYS[2] then redis.call('SET', KEYS[2], id .. ' ' .. fingerprint, 'EX', KEEP_KEY) end
return {'new', id, enqueuedAt, 0}
