#!lua flags=allow-oom
-- needs ../shared/runtime/guard.lua
-- needs layout.lua
--[[
  Takes many jobs at once, each as BullMQ's moveToActive takes one. What is out of the ordinary (a job of a scheduler, a
  job that is to fail, a queue with limits of its own) is left to BullMQ itself: the run ends before it. High priority
  alone passes it by: BullMQ would serve all of `wait` first.

  KEYS[1] wait     list; the job at its tail is next       KEYS[2] active  list      KEYS[3] prioritized  sorted set
  KEYS[4] pc       BullMQ's counter of prioritized jobs    KEYS[5] meta    hash      KEYS[6] limiter      string
  KEYS[7] events   stream                                  KEYS[8] marker  sorted set, wakes waiting workers
  ARGV[1] prefix of job hashes   ARGV[2] lock's token      ARGV[3] lock, ms          ARGV[4] now, epoch ms
  ARGV[5] jobs at most           ARGV[6] bytes of data at most, but for the first job
  ARGV[7] only jobs of `prioritized` with a lower score than this; '' = all of `wait`, then all of `prioritized`
  ARGV[8] limiter's value from which on BullMQ fetches nothing
  ARGV[9] 1 = the jobs' options, too

  Returns {1 = there may be more, then for each job: id, data, priority, 1 = nothing but its own hash is concerned when it
           completes, 2 = and it was never attempted; and its options as JSON if they are asked for}
]]
local most, mostBytes, below = integer(ARGV[5]), integer(ARGV[6]), ARGV[7]
integer(ARGV[3])
local meta = redis.call('HMGET', KEYS[5], PAUSED, CONCURRENCY, RATE_LIMIT)
if meta[1] or tonumber(redis.call('GET', KEYS[6]) or 0) >= integer(ARGV[8]) then return {0} end
if meta[2] or meta[3] then return {1} end
local waiting, prioritized = expectType('list', KEYS[1]), expectType('zset', KEYS[3])
expectType('list', KEYS[2])
expectType('stream', KEYS[7])
expectType('zset', KEYS[8])

local ids, from = {}, KEYS[3]
if below ~= '' then
  ids = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', '(' .. below, 'LIMIT', 0, most)
else
  local tail = redis.call('LRANGE', KEYS[1], -most, -1)
  for at = #tail, 1, -1 do ids[#ids + 1] = tail[at] end
  if #ids > 0 then from = KEYS[1] else ids = redis.call('ZRANGE', KEYS[3], 0, most - 1) end
end

local withOptions = ARGV[9] == '1'
local taken, started, reply, bytes = {}, {}, {0}, 0
for _, id in ipairs(ids) do
  local job = redis.pcall('HMGET', ARGV[1] .. id, DATA, OPTIONS, PRIORITY, PARENT, DEDUPLICATION, SCHEDULER, MUST_FAIL, STARTS,
    ATTEMPTS, 'associationsCounted')
  local data, options = job[1], job[2]
  -- (A key that is no hash is no job; 0:… are markers that early versions of BullMQ left among the jobs)
  local ordinary = data and options and not job[6] and not job[7] and id:sub(1, 2) ~= '0:'
  if ordinary then
    if #taken > 0 and bytes + #data > mostBytes then break end
    bytes = bytes + #data
    local alone = not job[4] and not job[5] and not options:find('"removeOnComplete"', 1, true)
    local isFirst = (tonumber(job[9]) or 0) == 0 and not job[10]
    local at = #reply
    reply[at + 1], reply[at + 2], reply[at + 3], reply[at + 4] = id, data, tonumber(job[3]) or 0, alone and (isFirst and 2 or 1) or 0
    if withOptions then reply[at + 5] = options end
    taken[#taken + 1] = id
    started[#taken] = isInteger(job[8]) and string.format('%d', job[8] + 1) or '1' -- Redis writes a number of Lua's with 17 digits first
  elseif below == '' then
    break
  end
end
if #taken == 0 then return {#ids > 0 and 1 or 0} end

-- from here on nothing fails
for at, id in ipairs(taken) do
  local key = ARGV[1] .. id
  redis.call('SET', lockOf(key), ARGV[2], 'PX', ARGV[3])
  redis.call('HSET', key, TAKEN_AT, ARGV[4], STARTS, started[at])
  redis.call('XADD', KEYS[7], '*', 'event', 'active', 'jobId', id, 'prev', 'waiting')
end
redis.call('LPUSH', KEYS[2], unpack(taken))
if from == KEYS[1] then
  redis.call('LTRIM', KEYS[1], 0, -#taken - 1)
else
  redis.call('ZREM', KEYS[3], unpack(taken))
  if prioritized == #taken then redis.call('DEL', KEYS[4]) end
end
if waiting + prioritized > #taken then
  redis.call('ZADD', KEYS[8], 0, '0') -- other workers may look for what is left
  reply[1] = 1
end
return reply
