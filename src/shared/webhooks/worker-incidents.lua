-- needs ../state/backlog.lua
-- needs outbox.lua
--[[
  Library: notes that no worker is alive while work waits, and that one is alive again; each once per incident.
]]
-- Longer than a restart or a deployment takes.
local MISSING_AFTER = 60000

-- workers: sorted set, replica → its latest report; silentMs: it counts as dead after this silence; meta: BullMQ's hash
local function observeWorkers(webhook, workers, silentMs, meta, states, now)
  expectType('zset', workers)
  local isPaused = redis.call('HEXISTS', meta, PAUSED) == 1
  local since, announced, jobs = noted(webhook, 'missingSince'), webhook.kept.missing == '1', 0
  for _, count in ipairs(countJobs(states)) do jobs = jobs + count end
  if redis.call('ZCOUNT', workers, now - silentMs, '+inf') > 0 then
    if announced then announce(webhook, {kind = 'workers.back', at = now, since = since, jobs = jobs}) end
    note(webhook, 'missingSince', nil)
    note(webhook, 'missing', nil)
  elseif announced then
    return
  elseif jobs == 0 or isPaused then -- in a queue that somebody has paused, nobody is missed
    note(webhook, 'missingSince', nil)
  elseif since == 0 then
    note(webhook, 'missingSince', now)
  elseif now - since >= MISSING_AFTER then
    announce(webhook, {kind = 'workers.missing', at = now, since = since, jobs = jobs})
    note(webhook, 'missing', '1')
  end
end
