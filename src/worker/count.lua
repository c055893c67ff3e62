--[[
  Counts calls or a batch: in the totals and in the minute (shared/minutes.lua).

  KEYS[1] counters  hash   KEYS[2] minutes  prefix of hashes
  ARGV[1] how many of the following names are totals as well   ARGV[2…] name, by, …
]]
local counts = {}
for at = 2, #ARGV, 2 do
  local by = tonumber(ARGV[at + 1])
  counts[ARGV[at]] = by
  if at / 2 <= tonumber(ARGV[1]) then redis.call('HINCRBY', KEYS[1], ARGV[at], by) end
end
countMinute(KEYS[2], counts)
return 0
