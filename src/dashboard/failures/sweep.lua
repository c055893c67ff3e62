-- needs ../../shared/state/rejections.lua
--[[
  One slice of the comparison of the index with the jobs. One round finds all jobs that another BullMQ client or an earlier
  version removed or failed without updating the index.

  KEYS[1] BullMQ's failed set
  KEYS[2] rejections  KEYS[3] rejection (prefix)  KEYS[4] rejectedJobs
  ARGV[1] prefix of job hashes   ARGV[2] cursor in rejectedJobs   ARGV[3] rank in the failed set   ARGV[4] jobs per slice
  Returns {next cursor, next rank (0 = start again), ids of failed jobs that are not in the index …}
]]
local rank, size = integer(ARGV[3]), integer(ARGV[4])
local index = {groups = KEYS[2], group = KEYS[3], jobs = KEYS[4]}
expectType('zset', KEYS[1])
expectIndex(index)
local scanned = redis.call('HSCAN', KEYS[4], ARGV[2], 'COUNT', size)
for at = 1, #scanned[2], 2 do
  local id = scanned[2][at]
  if redis.call('EXISTS', ARGV[1] .. id) == 0 then indexRejections(index, id, {}) end
end

local unknown, seen = {}, {}
local function look(ids)
  for _, id in ipairs(ids) do
    if not seen[id] and redis.call('HEXISTS', KEYS[4], id) == 0 then table.insert(unknown, id) end
    seen[id] = true
  end
end
-- removals shift ranks, so a slice overlaps the previous one
look(redis.call('ZRANGE', KEYS[1], math.max(0, rank - 20), rank + size - 1))
look(redis.call('ZREVRANGE', KEYS[1], 0, 19))
rank = rank + size
if rank >= redis.call('ZCARD', KEYS[1]) then rank = 0 end
return {scanned[1], rank, unpack(unknown)}
