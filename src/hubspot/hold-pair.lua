#!lua flags=allow-oom
-- needs ../shared/runtime/guard.lua
--[[
  Holds an object pair (with these types) on every replica, with growing pauses and one probe after each pause. Ends a
  probe that had no result. Ignores a record that cannot be read.

  KEYS[1] heldPairs  hash: object pair with types → JSON {until, reason, strikes, probing}
  ARGV[1] hold, probe or end
  ARGV[2] first pause, ms   ARGV[3] longest pause, ms   ARGV[4] least pause, ms   ARGV[5] 1 = the call was the probe
  ARGV[6] reason            ARGV[7] ms a probe may take ARGV[8] longest plausible hold, ms
  ARGV[9] time to live of the key, seconds
  ARGV[10…] names of object pairs

  hold   Returns {ms until the hold ends, strikes}
  probe  Returns {1}: a probe of every named object pair is due, and this call is it
                 {0}: another call probes, or it is too early
  end    Returns {1}: the next call may probe
]]
local what, first, longest, least = text(ARGV[1]), number(ARGV[2]), number(ARGV[3]), number(ARGV[4])
local reason, probeMs, believedMs = text(ARGV[6]), number(ARGV[7]), number(ARGV[8])
local seconds, names, found = integer(ARGV[9]), {text(ARGV[10]), unpack(ARGV, 11)}, {}
expectType('hash', KEYS[1])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

for at, name in ipairs(names) do
  local known, record = pcall(cjson.decode, redis.call('HGET', KEYS[1], name) or '')
  if known and type(record) == 'table' then
    record['until'] = tonumber(record['until']) or 0
    record.strikes = tonumber(record.strikes) or 0
    -- no replica holds for so long: another clock or another version wrote this
    if record['until'] > now + believedMs then record['until'] = 0 end
    found[at] = record
  end
end

local function write(records)
  local fields = {}
  for at, name in ipairs(names) do
    if records[at] then
      fields[#fields + 1] = name
      fields[#fields + 1] = cjson.encode(records[at])
    end
  end
  if #fields == 0 then return end
  redis.call('HSET', KEYS[1], unpack(fields))
  redis.call('EXPIRE', KEYS[1], seconds)
end

if what == 'hold' then
  local before = found[1] or {['until'] = 0, strikes = 0}
  -- calls that were in flight at the same time fail at the same time: together they count as one strike
  local isNew = before['until'] <= now or ARGV[5] == '1'
  local strikes = before.strikes + (isNew and 1 or 0)
  local ms = math.max(least, math.min(longest, first * 2 ^ math.min(strikes - 1, 40)))
  if not isNew then ms = math.max(least, before['until'] - now) end
  write({{['until'] = now + ms, reason = reason, strikes = strikes}})
  return {math.ceil(ms), strikes}
end

for at = 1, #names do
  if what == 'probe' and found[at] and found[at]['until'] > now then return {0} end
end
for at = 1, #names do
  if found[at] then
    found[at]['until'] = what == 'probe' and now + probeMs or 0
    found[at].probing = what == 'probe' or nil
  end
end
write(found)
return {1}
