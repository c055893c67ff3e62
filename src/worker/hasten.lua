--[[
  Brings jobs of high priority to the head of the line: BullMQ serves all of `wait` before `prioritized`.
  As many as one call takes: until their number or the length of their data is reached.

  KEYS[1] prioritized  sorted set: waiting job → priority × 2^32 + running number
  KEYS[2] wait         list; the job at its tail is fetched next
  ARGV[1] prefix of job hashes   ARGV[2] jobs of high priority have a lower score
  ARGV[3] jobs at most           ARGV[4] bytes of data that are enough

  Returns how many there were
]]
local enough = tonumber(ARGV[4])
local ids = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '(' .. ARGV[2], 'LIMIT', 0, ARGV[3])
local count, bytes = 0, 0
while count < #ids and bytes < enough do
  count = count + 1
  bytes = bytes + redis.call('HSTRLEN', ARGV[1] .. ids[count], 'data')
end
-- the first of them is pushed last
for at = count, 1, -1 do
  redis.call('ZREM', KEYS[1], ids[at])
  redis.call('RPUSH', KEYS[2], ids[at])
end
return count
