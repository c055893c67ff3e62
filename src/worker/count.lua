--[[
  Counts calls and batches, in the totals and in the minute (shared/minutes.lua), and remembers the batches for a while.

  KEYS[1] counters  hash   KEYS[2] minutes  prefix of hashes   KEYS[3] batches  stream
  ARGV[1] JSON: {counts: {name: by}, batches: a list of field, value, … for each}; names with a colon are for the minute only
  ARGV[2] batches to remember
]]
local counted = cjson.decode(ARGV[1])
for name, by in pairs(counted.counts) do
  if not name:find(':', 1, true) then redis.call('HINCRBY', KEYS[1], name, by) end
end
countMinute(KEYS[2], counted.counts)
for _, record in ipairs(counted.batches) do
  redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[2], '*', unpack(record))
end
return 0
