-- needs ../../bullmq/layout.lua
--[[
  Library: estimates the backlog without reading every job.
]]
-- Returns a field of a job; false if there is none or the key is not a hash, so that a foreign key breaks nothing.
local function fieldOf(job, name)
  local value = redis.pcall('HGET', job, name)
  return type(value) == 'string' and value
end

-- Counts the pairs in a job's data, [["1","2"],["3","4"]]: one more than there are separators between pairs.
local function pairsOf(data)
  local borders, at = 0, 0
  repeat
    at = data:find('],[', at + 1, true) -- as nearly everybody writes them: ten times as fast as a pattern
    if at then borders = borders + 1 end
  until not at
  if borders == 0 then
    for _ in data:gmatch('%]%s*,%s*%[') do borders = borders + 1 end
  end
  return borders + 1
end

-- Counts all jobs and reads the sizes of a few. Returns the estimate.
-- states: keys of wait, paused, active (lists), delayed, prioritized (sorted sets); prefix of job keys
local function estimateBacklog(states, prefix, samples)
  local total = 0
  for state = 1, 5 do
    local isList = state <= 3
    local jobs = redis.call(isList and 'LLEN' or 'ZCARD', states[state])
    local looked, found = math.min(jobs, samples), 0
    for at = 0, looked - 1 do
      local index = math.floor((at + 0.5) * jobs / looked) -- the middle of each stretch: the last job of a bulk is seldom full
      local id = isList and redis.call('LINDEX', states[state], index) or redis.call('ZRANGE', states[state], index, index)[1]
      local data = fieldOf(prefix .. id, DATA)
      if data then found = found + pairsOf(data) end
    end
    if looked > 0 then total = total + found / looked * jobs end
  end
  return math.floor(total + 0.5)
end
