-- needs ../runtime/guard.lua
--[[
  Library: which replicas have a place, that is, may fetch jobs (docs/decisions/0058). Changes nothing.

  The replicas stand in a row, and the first `places` of those that live have a place. A replica that starts goes to the
  end of the row, so that nobody loses a place to it.
]]
-- Returns whether the replica has reported since then, ms. workers: key of the sorted set replica → its latest report
local function hasReported(workers, replica, since)
  local last = redis.call('ZSCORE', workers, replica)
  return last and tonumber(last) >= since
end

-- Returns {rank of the replica among the living (1 = the first; 0 = behind the reserve, or it may have no place),
--          places, replicas that fetch}. The reserve is the first one without a place.
-- row: key of the sorted set replica → its turn; capacity: key of the hash with `places`
local function standingOf(row, workers, capacity, replica, since)
  local living = redis.call('ZCOUNT', workers, since, '+inf')
  -- replicas of a version without places stand in no row and always fetch; one of ours fetches as well
  local others = math.max(0, living - redis.call('ZCARD', row))
  local places = math.max(1, kept(redis.call('HGET', capacity, 'places')) - others)
  local rank, seen, at = 0, 0, 0
  while seen <= places do
    local next = redis.call('ZRANGE', row, at, at, 'WITHSCORES')
    if not next[1] or next[2] == 'inf' then break end
    if hasReported(workers, next[1], since) then
      seen = seen + 1
      if next[1] == replica then
        rank = seen
        break
      end
    end
    at = at + 1
  end
  return {rank, places, math.min(places, living - others) + others}
end
