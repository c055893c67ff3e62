-- needs ../runtime/guard.lua
-- needs backlog.lua
--[[
  Library: decides whether the account is held, for stats, page, metrics and webhook alike. Changes nothing.
]]
-- The account is held while its hold lasts. A hold with growing pauses (strikes) stays until a probe succeeds, as long as
-- a job is queued to probe with.
-- hold: key of the hash that hold.lua writes; states: as in backlog.lua; now: ms
-- Returns {until (ms; now while a probe is due), kind, reason, since (ms, 0 = unknown)}; nil: not held
local function accountHold(hold, states, now)
  local h = redis.call('HMGET', hold, 'until', 'strikes', 'kind', 'reason', 'since')
  local heldUntil, strikes = kept(h[1]), kept(h[2])
  if heldUntil <= now then
    if strikes <= 0 then return nil end
    local queued = 0
    for _, jobs in ipairs(countJobs(states)) do queued = queued + jobs end
    if queued == 0 then return nil end
  end
  return {math.max(heldUntil, now), h[3] or '', h[4] or '', kept(h[5])}
end
