#!lua flags=allow-oom
-- needs ../shared/runtime/guard.lua
-- needs layout.lua
--[[
  Takes many jobs at once, each as BullMQ's moveToActive takes one. It leaves special cases to BullMQ (a job of a scheduler, a
  job that must fail, a queue with limits): the run ends before them. Only high priority goes first: BullMQ would serve all of
  `wait` before it.

  KEYS[1] wait     list; the job at its tail is next       KEYS[2] active  list      KEYS[3] prioritized  sorted set
  KEYS[4] pc       BullMQ's counter of prioritized jobs    KEYS[5] meta    hash      KEYS[6] limiter      string
  KEYS[7] events   stream                                  KEYS[8] marker  sorted set, wakes waiting workers
  ARGV[1] prefix of job hashes   ARGV[2] lock's token      ARGV[3] lock, ms          ARGV[4] now, epoch ms
  ARGV[5] most jobs              ARGV[6] most bytes of data, except the first job's
  ARGV[7] only jobs of `prioritized` with a score below this; '' = all of `wait`, then all of `prioritized`
  ARGV[8] value of the limiter from which on BullMQ fetches no job
  ARGV[9] 1 = return the jobs' options as well

  Returns {1 = there may be more, then for each job: id, data, priority, 1 = its end concerns only its own hash, 2 = the same
           and it was never attempted; and its options as JSON if requested}
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
  -- (A key that is not a hash is not a job; 0:… are markers that early versions of BullMQ left among the jobs)
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
    started[#taken] = isInteger(job[8]) and string.format('%d', job[8] + 1) or '1' -- as text, because Redis formats a Lua number with 17 digits
  elseif below == '' then
    break
  end
end
if #taken == 0 then return {#ids > 0 and 1 or 0} end

-- nothing fails from here on
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
  redis.call('ZADD', KEYS[8], 0, '0') -- wake other workers for the remaining jobs
  reply[1] = 1
end
return reply
