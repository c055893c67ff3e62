#!lua flags=allow-oom
-- needs ../shared/runtime/guard.lua
--[[
  The account's weather: how many of its calls fail, whatever they carry. Notes one call and tells how it stands.

  KEYS[1] weather  hash: `<slice>:ok`, `<slice>:failed` → calls, for slices of five seconds; answeredAt → the latest answer
                   of HubSpot's; failing → the first record pairs of different calls that have failed since
  ARGV[1] ok, failed
  ARGV[2] 1 = the call carries first-timers: it tells of the weather. Others have failed before, maybe by their own fault
  ARGV[3] a failed call's first record pair, '' = its inputs are suspected

  Returns {ok, failed: calls of the last minute, different calls that have failed since the latest answer,
    ms since that answer; -1 = none is known, now}
]]
local SLICE_MS, SLICES = 5000, 12
-- without calls for so long, nothing is known
local KEEP_MS = 600000
-- fewer different calls tell an outage (weather.ts)
local MOST_FAILING = 10

local ended, counts, firstPair = text(ARGV[1]), text(ARGV[2]) == '1', text(ARGV[3])
if ended ~= 'ok' and ended ~= 'failed' then error('a call ends ok or failed', 0) end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local slice = math.floor(now / SLICE_MS)
local mine = string.format('%d', slice) .. ':' .. ended
expectCounts(KEYS[1], mine)
local calls, gone, other = {ok = 0, failed = 0}, {}, {}
local flat = redis.call('HGETALL', KEYS[1])
for at = 1, #flat, 2 do
  local of, kind = flat[at]:match('^(%d+):(%a+)$')
  if not of then other[flat[at]] = flat[at + 1]
  elseif tonumber(of) > slice - SLICES and tonumber(of) <= slice then calls[kind] = (calls[kind] or 0) + (tonumber(flat[at + 1]) or 0)
  else gone[#gone + 1] = flat[at] end
end

local failing, count = {}, 0
for one in (other.failing or ''):gmatch('[^\n]+') do
  failing[one] = true
  count = count + 1
end
local answeredAt = tonumber(other.answeredAt or '')
if ended == 'ok' then
  redis.call('HSET', KEYS[1], 'answeredAt', string.format('%d', now))
  if other.failing then redis.call('HDEL', KEYS[1], 'failing') end
  answeredAt, count = now, 0
elseif firstPair ~= '' and not failing[firstPair] and count < MOST_FAILING then
  redis.call('HSET', KEYS[1], 'failing', (other.failing or '') .. firstPair .. '\n')
  count = count + 1
end
if counts then
  redis.call('HINCRBY', KEYS[1], mine, 1)
  calls[ended] = calls[ended] + 1
end
if #gone > 0 then redis.call('HDEL', KEYS[1], unpack(gone)) end
redis.call('PEXPIRE', KEYS[1], KEEP_MS)
return {calls.ok, calls.failed, count, answeredAt and math.max(0, now - answeredAt) or -1, now}
