-- needs ../runtime/guard.lua
-- needs ../../bullmq/layout.lua
--[[
  Library: estimates the backlog and the age of the oldest waiting job without reading every job. Changes nothing.

  Everywhere: states = keys of wait, paused, active (lists), delayed, prioritized (sorted sets); prefix = of job hashes
]]
-- places in states; those up to ACTIVE_JOBS are lists
local WAITING_JOBS, PAUSED_JOBS, ACTIVE_JOBS, PRIORITIZED_JOBS, STATES = 1, 2, 3, 5, 5

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

local function isList(state) return state <= ACTIVE_JOBS end

-- Counts the jobs in each of the states.
local function countJobs(states)
  local counts = {}
  for state = 1, STATES do counts[state] = redis.call(isList(state) and 'LLEN' or 'ZCARD', states[state]) end
  return counts
end

-- Estimates the associations in all states: counts all jobs and reads the sizes of a few.
local function estimateBacklog(states, prefix, samples)
  local total = 0
  for state, jobs in ipairs(countJobs(states)) do
    local looked, found = math.min(jobs, samples), 0
    for at = 0, looked - 1 do
      local index = math.floor((at + 0.5) * jobs / looked) -- the middle of each stretch: the last job of a bulk is seldom full
      local id = isList(state) and redis.call('LINDEX', states[state], index)
        or redis.call('ZRANGE', states[state], index, index)[1]
      local data = fieldOf(prefix .. id, DATA)
      if data then found = found + pairsOf(data) end
    end
    if looked > 0 then total = total + found / looked * jobs end
  end
  return math.floor(total + 0.5)
end

-- The first job of each priority is its oldest.
local MOST_PRIORITIES = 16

-- Returns the whole seconds since the oldest of the next jobs was enqueued; -1 if no job waits. The next jobs are one of
-- the waiting list, one of the paused list and one of each priority. now: ms
local function oldestWaitingSeconds(states, prefix, now)
  local oldest
  local function consider(id)
    local at = id and kept(fieldOf(prefix .. id, ENQUEUED_AT)) or 0
    if at > 0 and (not oldest or at < oldest) then oldest = at end
  end
  -- the next job of a list is at its tail
  consider(redis.call('LINDEX', states[WAITING_JOBS], -1))
  consider(redis.call('LINDEX', states[PAUSED_JOBS], -1))
  local from = '-inf'
  for _ = 1, MOST_PRIORITIES do
    local first = redis.call('ZRANGEBYSCORE', states[PRIORITIZED_JOBS], from, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
    if not first[1] then break end
    consider(first[1])
    from = string.format('%.0f', (math.floor(first[2] / PRIORITY_STEP) + 1) * PRIORITY_STEP)
  end
  return oldest and math.max(0, math.floor((now - oldest) / 1000 + 0.5)) or -1
end
