--[[
  Library: the index of rejections. A group is what shares HubSpot's category, its words (ids left out) and the object
  pair; it knows how many associations it has and in which jobs. Whoever changes a job's rejections says in the same
  script what the job holds from now on: the difference goes to the groups, so that saying it twice changes nothing.
]]
-- Past so many different groups, further ones share one.
local MOST_GROUPS = 1000
local OTHER = 'other'

-- keys: groups (sorted set), group (prefix), jobs (hash). groups: list of {id, associations, first, last, fields} or {}.
local function indexRejections(keys, jobId, groups)
  local before, now = {}, {}
  for id, n in (redis.call('HGET', keys.jobs, jobId) or ''):gmatch('(%S+)=(%d+)') do before[id] = tonumber(n) end
  for _, group in ipairs(groups) do
    local id, fields = group.id, group.fields
    if not redis.call('ZSCORE', keys.groups, id) and redis.call('ZCARD', keys.groups) >= MOST_GROUPS then
      id = OTHER
      fields = {'category', 'OTHER', 'message', 'various other errors', 'from', '*', 'to', '*', 'example', fields[10]}
    end
    local key = keys.group .. id
    if redis.call('ZADD', keys.groups, 'NX', 0, id) == 1 then redis.call('HSET', key, 'first', group.first, 'last', group.last, unpack(fields)) end
    if not now[id] then
      local times = redis.call('HMGET', key, 'first', 'last')
      if group.first < tonumber(times[1] or 0) then redis.call('HSET', key, 'first', group.first) end
      if group.last > tonumber(times[2] or 0) then redis.call('HSET', key, 'last', group.last, 'example', fields[10]) end
    end
    now[id] = (now[id] or 0) + group.associations
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
  elseif next(before) then
    redis.call('HDEL', keys.jobs, jobId)
  end
end
