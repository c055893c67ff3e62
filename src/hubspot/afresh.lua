#!lua flags=allow-oom
-- needs ../shared/runtime/guard.lua
--[[
  Runs when a replica starts. The operator may have mended whatever holds the account or an object pair, so the script
  allows one probe for each hold at once. It keeps the number of strikes. A hold for our own daily limit needs no probe:
  reserve.lua compares that limit with every call.

  KEYS[1] hold       hash: until, strikes, ownLimit
  KEYS[2] heldPairs  hash: object pair with types → JSON {until, reason, strikes}
]]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local h = redis.call('HMGET', KEYS[1], 'until', 'strikes', 'ownLimit')
local held, due = redis.call('HGETALL', KEYS[2]), {}
for at = 1, #held, 2 do
  local known, record = pcall(cjson.decode, held[at + 1])
  if known and type(record) == 'table' then
    record['until'], record.probing = 0, nil
    due[#due + 1] = held[at]
    due[#due + 1] = cjson.encode(record)
  end
end
if kept(h[1]) > now and not h[3] then
  redis.call('HSET', KEYS[1], 'until', 0, 'strikes', math.max(1, kept(h[2])))
end
if #due > 0 then redis.call('HSET', KEYS[2], unpack(due)) end
return 0
