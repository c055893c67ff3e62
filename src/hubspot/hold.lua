#!lua flags=allow-oom
-- needs ../shared/runtime/guard.lua
-- needs probed.lua
--[[
  Holds all calls of the account on every replica. Keeps an existing hold that lasts longer.

  KEYS[1] hold  hash: until, since, kind, reason, strikes, margin
  ARGV[1] kind        rate-limit, daily, migration: fixed time · auth, account, unavailable: pauses that grow with every strike
  ARGV[2] reason      a sentence for the operator
  ARGV[3] ms          fixed time, or the first pause
  ARGV[4] longest pause, ms; 0 = fixed time
  ARGV[5] 1 = the call was the probe
  ARGV[6] ms to add to the margin (after a 429)

  Returns the milliseconds until the hold ends
]]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local h = redis.call('HMGET', KEYS[1], 'until', 'strikes', 'margin', 'kind')
local heldUntil, strikes, margin = kept(h[1]), kept(h[2]), kept(h[3])
local kind, reason, ms, longest, probe = text(ARGV[1]), text(ARGV[2]), number(ARGV[3]), number(ARGV[4]), ARGV[5] == '1'
local added = number(ARGV[6])

if added > 0 then redis.call('HSET', KEYS[1], 'margin', math.min(margin + added, 1000)) end

if longest > 0 then
  -- calls that were in flight at the same time fail at the same time: together they count as one strike
  if heldUntil > now and not probe then return heldUntil - now end
  strikes = strikes + 1
  redis.call('HSET', KEYS[1], 'strikes', strikes)
  ms = math.min(longest, ms * 2 ^ (strikes - 1))
  -- the time that was reserved for the probe ends with it; a hold of another kind that was set in the meantime stays
  if isProbed(h[4]) then heldUntil = 0 end
end
-- `since` keeps the start of the first hold when a probe or another refusal prolongs it
if kept(h[1]) <= now and kept(h[2]) == 0 then redis.call('HSET', KEYS[1], 'since', now) end
if now + ms > heldUntil then
  heldUntil = now + ms
  redis.call('HSET', KEYS[1], 'until', heldUntil, 'kind', kind, 'reason', reason)
  redis.call('HDEL', KEYS[1], 'ownLimit')
end
return math.ceil(heldUntil - now)
