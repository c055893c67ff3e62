--[[
  Settles jobs: what became of their pairs is written into their data and into the totals in one step, so that neither
  is ever ahead of the other, whenever this process dies. Only for jobs whose lock is still ours.

  KEYS[1] counters   hash
  KEYS[2…] job keys; a job's lock stands at its key .. ':lock'
  ARGV for each job: token, data, created, rejected, retried
    data = new data of the job; '' = all its pairs were created and the job is about to complete: its data stays, and
    a mark says how many were counted, so that they are counted once even if the process dies before the completion and
    the job runs again.

  Returns for each job 1 = settled, 0 = somebody else has it by now
]]
local settled = {}
local total = {created = 0, rejected = 0, retried = 0}
for job = 2, #KEYS do
  local at = (job - 2) * 5
  local token, data = ARGV[at + 1], ARGV[at + 2]
  local ours = redis.call('GET', KEYS[job] .. ':lock') == token
  -- A settlement always changes the data: the same data is the same call, sent again after a lost connection.
  local again = data ~= '' and redis.call('HGET', KEYS[job], 'data') == data
  if ours and not again then
    local counted = tonumber(redis.call('HGET', KEYS[job], 'associationsCounted') or 0)
    if data == '' then
      redis.call('HSET', KEYS[job], 'associationsCounted', ARGV[at + 3])
    else
      redis.call('HSET', KEYS[job], 'data', data)
      redis.call('HDEL', KEYS[job], 'associationsCounted')
    end
    total.created = total.created + tonumber(ARGV[at + 3]) - counted
    total.rejected = total.rejected + tonumber(ARGV[at + 4])
    total.retried = total.retried + tonumber(ARGV[at + 5])
  end
  settled[job - 1] = ours and 1 or 0
end
for name, by in pairs(total) do
  if by ~= 0 then redis.call('HINCRBY', KEYS[1], name, by) end
end
return settled
