-- needs finish.lua
--[[
  Library: takes jobs out of the queue that no worker has, as BullMQ's removeJob does with one; or makes dead letters of them.
  It is for jobs that concern no other job: no parent, no deduplication, no scheduler. `placesOf` finds the jobs and fails if
  they cannot be taken; it comes before the first write.

  place  key of the list or of the sorted set in which the jobs wait; kind  its type: list, zset
  keys   as finishKeys returns them
]]
-- Stands for removed ids in a list until the script clears the list of it. It is no job's id, because those have no colon.
local HOLE = 'removed:'

-- Jobs that producers add push the others towards the tail. So many places are searched, once and again.
local FAR, NEAR, FAR_SEARCHES = 1000, 20, 5

-- Returns the index of an id near the place where it was; nil if it is not there.
local function search(place, id, hint, isFar)
  local first = math.max(0, hint - NEAR)
  for at, other in ipairs(redis.call('LRANGE', place, first, hint + (isFar and FAR or NEAR))) do
    if other == id then return first + at - 1 end
  end
  return nil
end

-- Returns id → where it is, for the ids that are there. indexes = where they were in a list, from its head
local function placesOf(kind, place, ids, indexes)
  local places, shift, searches = {}, 0, 0
  expectType(kind, place)
  for n, id in ipairs(ids) do
    if kind == 'zset' then
      places[id] = redis.call('ZSCORE', place, id) or nil
    else
      local hint = math.max(0, indexes[n] + shift)
      local found = redis.call('LINDEX', place, hint) == id and hint
      if not found then
        searches = searches + 1
        found = search(place, id, hint, searches <= FAR_SEARCHES)
        if found then shift = found - indexes[n] end -- the others have moved as far
      end
      places[id] = found
    end
  end
  return places
end

-- Redis walks a list from the nearer end once for all ids, because a removal by value walks as far as the value.
local function takeOut(kind, place, ids, places)
  if #ids == 0 then return end
  if kind == 'zset' then
    redis.call('ZREM', place, unpack(ids))
    return
  end
  local middle = redis.call('LLEN', place) / 2
  local nearer = 0 -- how many are nearer to the head
  for _, id in ipairs(ids) do
    redis.call('LSET', place, places[id], HOLE)
    nearer = nearer + (places[id] < middle and 1 or -1)
  end
  redis.call('LREM', place, nearer >= 0 and #ids or -#ids, HOLE)
end

-- prev = name of the place in BullMQ's event
local function remove(keys, ids, prev)
  for _, id in ipairs(ids) do redis.call('XADD', keys.events, '*', 'event', 'removed', 'jobId', id, 'prev', prev) end
  deleteJobs(keys, ids)
end

-- Adds jobs to the dead letters; `fail` has written their hashes.
local function bury(keys, ids, now)
  addAll(keys.failed, ids, now)
  countFinished(keys.metricsFailed, #ids, now)
end
