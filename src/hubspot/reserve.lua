#!lua flags=allow-oom
-- needs ../shared/runtime/guard.lua
-- needs probed.lua
--[[
  Reserves one call: returns when it may go, or why no call may go.

  The rolling window is exact. The script keeps the times of the last permits; the next call goes no earlier than the
  entry `limit` back plus the window and a margin. The margin covers the network's varying delay and calls that are
  written late. Permits are spaced, because calls that leave in bursts are late in bursts; in the first half of an idle
  window they are four times as close. Calls that may wait are spread over the whole window: if they used it up early,
  a call that may not wait would stand still until the window is over.

  KEYS[1] window     sorted set: permit → when its call was or will be sent, ms of Redis time
  KEYS[2] hold       hash: until, since, kind, reason, strikes, margin, partialAt, late, lateAt
  KEYS[3] daily      hash: day → calls reserved on it
  KEYS[4] heldPairs  hash: object pair with types → JSON {until, reason, strikes}
  KEYS[5] prioritized  BullMQ's sorted set; only read
  ARGV[1] permit id            ARGV[2] limit (calls)            ARGV[3] window, ms
  ARGV[4] network margin, ms   ARGV[5] 1 = a partial batch      ARGV[6] day        ARGV[7] daily limit, 0 = none
  ARGV[8] ms until the reset   ARGV[9] ms a probe may take      ARGV[10] ms of idle time that partial batches may save up

  ARGV[11] jobs of high priority have a score below this
  ARGV[12] smallest covered lateness, ms   ARGV[13] half-life of a measured lateness, ms
  ARGV[14] 1 = the call may wait: spread over the window

  Returns {'granted', ms to wait, 1 = probe, 1 = a fault held the account, now, waiting jobs of high priority,
           ms by which the call may be late, heldPairs…}
       or {'held', ms, kind, reason, now, 0, 0, heldPairs…}
       or {'paced', ms}   a partial batch would use up the day's calls too early
]]
local permit, limit, window, base = text(ARGV[1]), math.max(1, math.floor(number(ARGV[2]))), number(ARGV[3]), number(ARGV[4])
local day, dailyLimit, untilReset = text(ARGV[6]), number(ARGV[7]), number(ARGV[8])
local probeMs, savedUp = number(ARGV[9]), number(ARGV[10])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local heldPairs = redis.call('HGETALL', KEYS[4])
local high = redis.call('ZCOUNT', KEYS[5], '-inf', '(' .. integer(ARGV[11]))
expectType('zset', KEYS[1])
expectCounts(KEYS[3], day)

local function reply(...)
  local answer = {...}
  for _, value in ipairs(heldPairs) do table.insert(answer, value) end
  return answer
end

local h = redis.call('HMGET', KEYS[2], 'until', 'kind', 'reason', 'strikes', 'margin', 'partialAt', 'ownLimit',
  'late', 'lateAt')
local heldUntil, kind, reason = kept(h[1]), h[2] or '', h[3] or ''
local strikes, extra = kept(h[4]), kept(h[5])

-- The measured lateness decays. A time in the far future was written before Redis' clock was set back.
local late, lateAt, least, half = kept(h[8]), kept(h[9]), number(ARGV[12]), number(ARGV[13])
if lateAt > now + window then late = 0 end
local function covered(time) return math.max(least, late * 2 ^ (-math.max(0, time - lateAt) / half)) end

local trouble = strikes > 0 and 1 or 0
local margin = math.ceil(base + covered(now) + extra)
-- The connection was lost before the reply, and the replica asks again: it gets the same permit, which counts once.
local granted = tonumber(redis.call('ZSCORE', KEYS[1], permit) or '')
if granted then
  return reply('granted', math.max(0, math.ceil(granted - now)), trouble, trouble, now, high,
    math.floor(covered(granted + window + margin)))
end

local used = tonumber(redis.call('HGET', KEYS[3], day) or 0)
-- The operator may have raised our daily limit in the meantime. A hold after HubSpot's 429 stays.
local isLifted = h[7] and (dailyLimit == 0 or used < dailyLimit)
if isLifted then heldUntil = 0 end
-- Every hold ends: a hold that another clock or another version wrote lasts no longer than one that we would write.
local longest = math.max(86400000, untilReset)
if kind == 'rate-limit' then longest = 6 * window
elseif isProbed(kind) then longest = math.max(600000, probeMs) end
local believed = math.min(heldUntil, now + longest)
if believed > now then
  local answer = reply('held', believed - now, kind, reason, now, 0, 0)
  if believed < heldUntil then redis.call('HSET', KEYS[2], 'until', believed) end
  return answer
end

if dailyLimit > 0 then
  if used >= dailyLimit then
    reason = 'the daily limit of ' .. dailyLimit .. ' calls is used up'
    redis.call('HSET', KEYS[2], 'until', now + untilReset, 'since', now, 'kind', 'daily', 'reason', reason, 'ownLimit', 1)
    return reply('held', untilReset, 'daily', reason, now, 0, 0)
  end
  -- Only partial batches are paced: they fill up while they wait. Theoretical arrival time, with a bounded burst.
  if ARGV[5] == '1' then
    local at = math.max(kept(h[6]), now - savedUp)
    if at > now then return {'paced', math.ceil(at - now)} end
    redis.call('HSET', KEYS[2], 'partialAt', at + untilReset / (dailyLimit - used))
  end
end

-- A full Redis that does not know allow-oom refuses this write, and it comes first: the worker makes no call whose
-- settlement Redis would refuse.
redis.call('HINCRBY', KEYS[3], day, 1)
if isLifted then redis.call('HDEL', KEYS[2], 'until', 'kind', 'reason', 'ownLimit') end
-- After a failure that holds the account, one probe goes alone and all other calls wait for its result.
if strikes > 0 then
  -- a 429 may have set another kind in the meantime; from now on the probe holds the other calls
  redis.call('HSET', KEYS[2], 'until', now + probeMs, 'kind', isProbed(kind) and kind or 'unavailable')
end

redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window - margin)
-- no permit lies that far in the future: Redis' clock was set back
redis.call('ZREMRANGEBYSCORE', KEYS[1], now + 100 * window, '+inf')
local count = redis.call('ZCARD', KEYS[1])
local at = now
if count > 0 then
  local spacing = 0.9 * window / limit
  if ARGV[14] == '1' then spacing = window / limit
  elseif count < limit / 2 then spacing = spacing / 4 end
  local last = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')
  at = math.max(at, tonumber(last[2]) + spacing)
  if count >= limit then
    local back = redis.call('ZREVRANGE', KEYS[1], limit - 1, limit - 1, 'WITHSCORES')
    at = math.max(at, tonumber(back[2]) + window + margin)
  end
end
-- If a call is written late, its entry in the window is corrected. Until then others reserve with the old time; their
-- margin covers the grace that is granted here. If few permits are still to be used, others cannot reserve a window's
-- worth of calls within an eighth of a window (half of these calls alone are spaced over nearly that long), so that the
-- correction comes first and the grace may be an eighth.
local grace = covered(at + window + margin)
local ahead = redis.call('ZCOUNT', KEYS[1], '(' .. now, '+inf')
if 4 * (ahead + 4) <= limit then grace = math.max(grace, window / 8) end
redis.call('ZADD', KEYS[1], at, permit)
redis.call('PEXPIRE', KEYS[1], 2 * (window + margin) + math.ceil(at - now))
-- Delete earlier days. A replica whose clock is behind may still count yesterday's calls.
if used == 0 then
  for _, earlier in ipairs(redis.call('HKEYS', KEYS[3])) do
    if earlier < day then redis.call('HDEL', KEYS[3], earlier) end
  end
end
-- the margin that a 429 added shrinks by 1 ms with every call
if extra > 0 then redis.call('HSET', KEYS[2], 'margin', math.max(0, extra - 1)) end

return reply('granted', math.ceil(at - now), trouble, trouble, now, high, math.floor(grace))
