-- needs ../shared/runtime/guard.lua
-- needs layout.lua
--[[
  Renews the locks of jobs, also on a full Redis, because it writes nothing new. (BullMQ's script sets each lock again.)

  KEYS[1] BullMQ's set of stalled jobs
  ARGV[1] prefix of job hashes   ARGV[2] lock, ms   ARGV[3…] for each job: id, token
  Returns the ids of jobs whose lock another worker has now
]]
local lockMs = integer(ARGV[2])
local lost, locks, ids = {}, {}, {}
for at = 3, #ARGV, 2 do
  local lock = lockOf(ARGV[1] .. ARGV[at])
  local holder = redis.pcall('GET', lock)
  if holder == text(ARGV[at + 1]) then
    locks[#locks + 1], ids[#ids + 1] = lock, ARGV[at]
  elseif type(holder) == 'table' and not holder.err:find('WRONGTYPE', 1, true) then
    error(holder.err, 0) -- the slot is moving, and another node has this lock
  else
    lost[#lost + 1] = ARGV[at]
  end
end
expectType('set', KEYS[1])
if #ids > 5000 then error('too many locks for one call', 0) end -- Lua passes at most 8,000 arguments to a command

-- nothing fails from here on
for _, lock in ipairs(locks) do redis.call('PEXPIRE', lock, lockMs) end
if #ids > 0 then redis.call('SREM', KEYS[1], unpack(ids)) end
return lost
