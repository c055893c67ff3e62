#!lua flags=allow-oom
-- needs ../../shared/state/minutes.lua
--[[
  Counts calls and batches in the totals and in the minute, and stores the latest batches.

  KEYS[1] counters  hash   KEYS[2] minutes  prefix of hashes   KEYS[3] batches  stream
  ARGV[1] number of batches to keep
  ARGV[2] number of counts; then for each: name, increment. Names with a colon count in the minute only
  then for each batch: number of the following arguments; then field, value, …
]]
local MOST_FIELDS = 1000 -- of one batch: Lua passes at most 8,000 arguments to a command
local keep = integer(ARGV[1])
local names, counts, totals = {}, {}, {}
local at = 3
for _ = 1, integer(ARGV[2]) do
  local name = text(ARGV[at])
  names[#names + 1] = name
  counts[name] = integer(ARGV[at + 1])
  if not name:find(':', 1, true) then totals[#totals + 1] = name end
  at = at + 2
end
local records = {}
while at <= #ARGV do
  local size = integer(ARGV[at])
  if size < 2 or size % 2 == 1 or size > MOST_FIELDS or at + size > #ARGV then error('a batch is cut off', 0) end
  records[#records + 1] = {at + 1, at + size}
  at = at + size + 1
end
if #names > 0 then expectCounts(KEYS[1], unpack(names)) end
local bucket = #names > 0 and minuteBucket(KEYS[2], unpack(names))
expectType('stream', KEYS[3])

-- nothing fails from here on
for _, name in ipairs(totals) do redis.call('HINCRBY', KEYS[1], name, counts[name]) end
if bucket then countMinute(bucket, counts) end
for _, record in ipairs(records) do
  redis.call('XADD', KEYS[3], 'MAXLEN', '~', keep, '*', unpack(ARGV, record[1], record[2]))
end
return 0
