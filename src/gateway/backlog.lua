--[[
  Estimates the associations in the queue: all jobs are counted, the sizes of a few are looked at. Changes nothing.
  KEYS[1] wait  KEYS[2] paused  KEYS[3] active  (lists)  KEYS[4] delayed  KEYS[5] prioritized  (sorted sets)
  ARGV[1] prefix of job hashes   ARGV[2] jobs to look at in each
  Returns the estimate
]]
local samples = tonumber(ARGV[2])
-- pairs stand as [["1","2"],["3","4"]]: one more than there are borders between them
local function pairsOf(id)
  local data = redis.call('HGET', ARGV[1] .. id, 'data')
  if not data then return 0 end
  local borders = 0
  for _ in data:gmatch('%]%s*,%s*%[') do borders = borders + 1 end
  return borders + 1
end
local total = 0
for state = 1, 5 do
  local isList = state <= 3
  local jobs = redis.call(isList and 'LLEN' or 'ZCARD', KEYS[state])
  local looked, found = math.min(jobs, samples), 0
  for at = 0, looked - 1 do
    local index = math.floor(at * jobs / looked)
    local id = isList and redis.call('LINDEX', KEYS[state], index) or redis.call('ZRANGE', KEYS[state], index, index)[1]
    found = found + pairsOf(id)
  end
  if looked > 0 then total = total + found / looked * jobs end
end
return math.floor(total + 0.5)
