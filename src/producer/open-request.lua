-- needs ../shared/state/count-request.lua
--[[
  Opens the record of a request whose id must be new, or goes on with one that was interrupted. A file is recognised by a hash
  of its content and of how its lines are understood (same-file.ts).

  KEYS[1…6] requests, as request-list.lua takes them
  ARGV[1] request   ARGV[2] lease in ms   ARGV[3] seconds to keep it after its end if it is listed
  ARGV[4] '' or the hash of the file   ARGV[5] new | again (also if the file was enqueued before) | resume
  ARGV[6…] field, value … of a new record

  Returns {outcome, another request or '', line, accepted, jobs, number of the next job, refused lines}
    opened, resumed
    taken      there is a request with this id   same      the file was enqueued before, by the other request
    unknown    there is no such request          differs   it is of another file, or of none
    enqueueing its process enqueues on           cancelled, done
]]
local id, lease, keep, file, how = text(ARGV[1]), integer(ARGV[2]), integer(ARGV[3]), text(ARGV[4]), text(ARGV[5])
local keys = requestKeys(1)
local key, now = keys.record .. id, nowMs()
if #ARGV % 2 == 0 then error('a field has no value', 0) end
local READ_MORE = {'accepted', 'jobs', 'nextJob', 'line', 'refusedLines', 'enqueueing', 'interrupted', 'cancelledAt', 'doneAt', 'fileHash'}
local found = redis.pcall('HMGET', key, unpack(READ_MORE))
if found.err then return {'taken', ''} end
local known = {}
for at, name in ipairs(READ_MORE) do known[name] = found[at] end

local function resume()
  if not known.accepted then return {'unknown', ''} end
  if known.cancelledAt then return {'cancelled', ''} end
  if known.doneAt then return {'done', ''} end
  if file == '' or known.fileHash ~= file then return {'differs', ''} end
  if not known.enqueueing then return {'done', ''} end
  if not known.interrupted and kept(known.enqueueing) > now then return {'enqueueing', ''} end
  redis.call('HSET', key, 'enqueueing', now + lease)
  redis.call('HDEL', key, 'interrupted')
  return {'resumed', '', kept(known.line), kept(known.accepted), kept(known.jobs), kept(known.nextJob), kept(known.refusedLines)}
end

if how == 'resume' then return resume() end
if known.accepted then return {'taken', id} end
expectType('hash', key)
local before = file ~= '' and redis.pcall('GET', keys.file .. file)
if type(before) == 'string' and how ~= 'again' and redis.call('EXISTS', keys.record .. before) == 1 then
  return {'same', before}
end
local name = false
for at = 6, #ARGV, 2 do name = name or ARGV[at] == 'name' end

redis.call('HSET', key, 'accepted', 0, 'jobs', 0, 'created', 0, 'rejected', 0, 'cancelled', 0, 'enqueuedAt', now,
  'enqueueing', now + lease, unpack(ARGV, 6))
redis.call('EXPIRE', key, KEEP_OPEN)
if name then
  redis.call('HSET', key, 'keep', keep)
  listRequest(keys, id, now)
end
if file ~= '' then
  redis.call('HSET', key, 'fileHash', file)
  redis.call('SET', keys.file .. file, id, 'EX', KEEP_OPEN)
end
return {'opened', '', 0, 0, 0, 0, 0}
