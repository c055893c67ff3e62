-- needs ../runtime/guard.lua
--[[
  Library: the index of rejections. A group has one HubSpot category, one message (without ids) and one object pair; it
  knows how many associations it has and in which jobs. A script that changes a job's rejections passes all rejections
  that the job holds from now on. Only the difference is applied to the groups, so that a repeat changes nothing.

  keys  {groups = sorted set, group = prefix of hashes and sets, jobs = hash}
]]
-- Once there are this many groups, all further ones share one group.
local MOST_GROUPS = 1000
local OTHER = 'other'
-- field and value: category, message, from, to, example
local FIELDS, EXAMPLE = 10, 10

local function expectIndex(keys)
  expectType('zset', keys.groups)
  expectType('hash', keys.jobs)
end

-- Reads the groups of a job from ARGV: their number, then for each: id, associations, first, last, and the fields.
-- Does not interpret the texts, which are HubSpot's. Returns the groups and the index after them.
local function readGroups(at)
  local groups = {}
  local count = integer(ARGV[at])
  at = at + 1
  for n = 1, count do
    local group = {id = ARGV[at], associations = integer(ARGV[at + 1]), first = integer(ARGV[at + 2]), last = integer(ARGV[at + 3]), fields = {}}
    for field = 1, FIELDS do
      group.fields[field] = text(ARGV[at + 3 + field])
    end
    groups[n] = group
    at = at + 4 + FIELDS
  end
  return groups, at
end

-- If another client's key has the name of a group, the group is skipped and the script goes on.
local function isUsable(key)
  local hash, set = redis.call('TYPE', key).ok, redis.call('TYPE', key .. ':jobs').ok
  return (hash == 'hash' or hash == 'none') and (set == 'set' or set == 'none')
end

local function indexRejections(keys, jobId, groups)
  local before, now = {}, {}
  for id, n in (redis.call('HGET', keys.jobs, jobId) or ''):gmatch('(%S+)=(%d+)') do
    if isUsable(keys.group .. id) then before[id] = tonumber(n) end
  end
  for _, group in ipairs(groups) do
    local id, fields = group.id, group.fields
    if not redis.call('ZSCORE', keys.groups, id) and redis.call('ZCARD', keys.groups) >= MOST_GROUPS then
      id = OTHER
      fields = {'category', 'OTHER', 'message', 'various other errors', 'from', '*', 'to', '*', 'example', fields[EXAMPLE]}
    end
    local key = keys.group .. id
    if now[id] or isUsable(key) then
      if redis.call('ZADD', keys.groups, 'NX', 0, id) == 1 then redis.call('HSET', key, 'first', group.first, 'last', group.last, unpack(fields)) end
      if not now[id] then
        local times = redis.call('HMGET', key, 'first', 'last')
        if group.first < (tonumber(times[1] or '') or 0) then redis.call('HSET', key, 'first', group.first) end
        if group.last > (tonumber(times[2] or '') or 0) then redis.call('HSET', key, 'last', group.last, 'example', fields[EXAMPLE]) end
      end
      now[id] = (now[id] or 0) + group.associations
    end
  end
  local entry = {}
  for id, n in pairs(now) do
    if not before[id] then redis.call('SADD', keys.group .. id .. ':jobs', jobId) end
    if n ~= (before[id] or 0) then redis.call('ZINCRBY', keys.groups, n - (before[id] or 0), id) end
    table.insert(entry, id .. '=' .. n)
  end
  for id, n in pairs(before) do
    if not now[id] then
      local jobs = keys.group .. id .. ':jobs'
      redis.call('SREM', jobs, jobId)
      if redis.call('EXISTS', jobs) == 0 then
        redis.call('ZREM', keys.groups, id)
        redis.call('DEL', keys.group .. id)
      else
        redis.call('ZINCRBY', keys.groups, -n, id)
      end
    end
  end
  if #entry > 0 then
    redis.call('HSET', keys.jobs, jobId, table.concat(entry, ' '))
  else
    redis.call('HDEL', keys.jobs, jobId)
  end
end
