#!lua flags=allow-oom
--[[
  Holds an object pair (with these types) on every replica with pauses that grow, lets one probe go after each, and ends
  a probe that has found out nothing. A record that cannot be read is none.

  KEYS[1] heldPairs  hash: object pair with types → JSON {until, reason, strikes, probing}
  ARGV[1] hold, probe or end
  ARGV[2] first pause, ms   ARGV[3] longest pause, ms   ARGV[4] least pause, ms   ARGV[5] 1 = the call was the probe
  ARGV[6] reason            ARGV[7] ms a probe may take ARGV[8] longest hold that is believed, ms
  ARGV[9] seconds until all is forgotten
  ARGV[10…] names of object pairs

  hold   Returns {ms that it is held from now, strikes}
  probe  Returns {1}: each of them is due, and this call may find out · {0}: another one does, or it is too early
  end    Returns {1}: who comes next may probe
]]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local first, longest, least = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local found = {}
for at = 10, #ARGV do
  local known, record = pcall(cjson.decode, redis.call('HGET', KEYS[1], ARGV[at]) or '')
  if not known or type(record) ~= 'table' then record = nil end
  if record then
    record['until'] = tonumber(record['until']) or 0
    record.strikes = tonumber(record.strikes) or 0
    -- so far ahead nobody holds: another clock, or another version
    if record['until'] > now + tonumber(ARGV[8]) then record['until'] = 0 end
  end
  found[at] = record or false
end

local function write(at, record)
  redis.call('HSET', KEYS[1], ARGV[at], cjson.encode(record))
  redis.call('EXPIRE', KEYS[1], tonumber(ARGV[9]))
end

if ARGV[1] == 'hold' then
  local before = found[10] or {['until'] = 0, strikes = 0}
  -- calls that were in flight together fail together: one strike
  local isNew = before['until'] <= now or ARGV[5] == '1'
  local strikes = before.strikes + (isNew and 1 or 0)
  local ms = math.max(least, math.min(longest, first * 2 ^ math.min(strikes - 1, 40)))
  if not isNew then ms = math.max(least, before['until'] - now) end
  write(10, {['until'] = now + ms, reason = ARGV[6], strikes = strikes})
  return {math.ceil(ms), strikes}
end

if ARGV[1] == 'probe' then
  for at = 10, #ARGV do
    if found[at] and found[at]['until'] > now then return {0} end
  end
end
for at = 10, #ARGV do
  local record = found[at]
  if record then
    record['until'] = ARGV[1] == 'probe' and now + tonumber(ARGV[7]) or 0
    record.probing = ARGV[1] == 'probe' or nil
    write(at, record)
  end
end
return {1}
