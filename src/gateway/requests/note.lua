-- needs ../../shared/state/request-list.lua
--[[
  Notes a request before its jobs are enqueued; settle.lua counts into this note. With an idempotency key only the first
  request is noted, and a repeat gets the id of the first one.

  KEYS[1…6] requests, as request-list.lua takes them
  KEYS[7] the idempotency key (absent if there is none): "<request id> <fingerprint>"
  ARGV[1] id of the new request   ARGV[2] fingerprint of its jobs   ARGV[3] inputs   ARGV[4] jobs
  ARGV[5] 1 = there is room for more
  ARGV[6] '', or the pairs of several requests of one association that share this note, as JSON
  ARGV[7] '', or the caller: a hash of its key   ARGV[8] '', or the request's name
  ARGV[9] seconds to keep the record after its end if the request is listed: it has a name, or more than one job

  Returns {outcome, request id, enqueuedAt (ms), 1 = a part of it has been settled, or it was cancelled}
    new      noted; the caller enqueues its jobs
    known    noted before; the caller enqueues its jobs unless a part was settled (then all were enqueued in one step), or
             somebody took the request back
    differs  the idempotency key was used for other associations
    full     there is no room, nothing was noted
]]
local KEEP_KEY = 86400 -- seconds
local requests = requestKeys(1)
if KEYS[7] then
  local noted = redis.call('GET', KEYS[7])
  if noted then
    local id, fingerprint = noted:match('^(%S+) (%S+)$')
    if fingerprint ~= ARGV[2] then return {'differs', id, 0, 0} end
    local counts = redis.call('HMGET', requests.record .. id, 'created', 'rejected', 'enqueuedAt', 'cancelledAt')
    if counts[3] then
      local settled = (counts[4] or tonumber(counts[1]) + tonumber(counts[2]) > 0) and 1 or 0
      return {'known', id, tonumber(counts[3]), settled}
    end
  end
end
if ARGV[5] ~= '1' then return {'full', '', 0, 0} end
local id, fingerprint, inputs, jobs = text(ARGV[1]), text(ARGV[2]), integer(ARGV[3]), integer(ARGV[4])
local members, owner, name, keep = text(ARGV[6]), text(ARGV[7]), text(ARGV[8]), integer(ARGV[9])
local key, enqueuedAt = requests.record .. id, nowMs()
local fields = {'accepted', inputs, 'jobs', jobs, 'created', 0, 'rejected', 0, 'enqueuedAt', enqueuedAt, 'via', 'gateway'}
local function add(field, value)
  if value == '' then return end
  fields[#fields + 1] = field
  fields[#fields + 1] = value
end
local isListedFromNow = name ~= '' or jobs > 1
add('members', members)
add('owner', owner)
add('name', name)
add('keep', isListedFromNow and keep or '')
expectType('hash', key)
redis.call('HSET', key, unpack(fields))
redis.call('EXPIRE', key, KEEP_OPEN)
if isListedFromNow then listRequest(requests, id, enqueuedAt) end
if KEYS[7] then redis.call('SET', KEYS[7], id .. ' ' .. fingerprint, 'EX', KEEP_KEY) end
return {'new', id, enqueuedAt, 0}
