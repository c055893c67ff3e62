#!lua flags=allow-oom
-- needs ../shared/runtime/guard.lua
--[[
  The account's weather: how many of its calls fail, whatever they carry. Notes one call and returns the figures.

  KEYS[1] weather  hash: `<slice>:ok`, `<slice>:failed` → calls, in slices of five seconds; answeredAt → time of HubSpot's
                   latest answer; failing → the first record pairs of the different calls that failed since that answer
  ARGV[1] ok, failed
  ARGV[2] 1 = the call carries first-timers and is counted. Other calls may fail because of their inputs
  ARGV[3] a failed call's first record pair; '' = its inputs are suspects

  Returns {ok, failed: calls of the last minute, different calls that failed since the latest answer,
    ms since that answer; -1 = no answer is known, now}
]]
local SLICE_MS, SLICES = 5000, 12
-- the key expires when no call was noted for this long
local KEEP_MS = 600000
-- weather.ts declares an outage with fewer different calls than this
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
