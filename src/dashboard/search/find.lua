-- needs ../../bullmq/layout.lua
--[[
  Looks for a record pair in some jobs. It stops after about two milliseconds, so that other clients need not wait.

  KEYS[1] list or sorted set of the jobs
  ARGV[1] list | zset
  ARGV[2] prefix of job hashes
  ARGV[3] list: index to continue at · zset: cursor
  ARGV[4] from id   ARGV[5] to id   (plain text as in JSON)
  ARGV[6] the pair in the usual spelling: "101","202"
  ARGV[7] a Lua pattern for all other spellings
  Returns {where to continue, '' = the end; number of jobs read; ids of jobs that contain the pair …}
]]
local BUDGET_MICROS, AT_ONCE = 2000, 20
local function micros()
  local time = redis.call('TIME')
  return time[1] * 1000000 + time[2]
end
local function holds(id)
  local data = redis.pcall('HGET', ARGV[2] .. id, DATA) -- a key that is no hash holds nothing
  if type(data) ~= 'string' then return false end
  if data:find(ARGV[6], 1, true) then return true end
  return data:find(ARGV[4], 1, true) and data:find(ARGV[5], 1, true) and data:find(ARGV[7])
end

local deadline = micros() + BUDGET_MICROS
local found, looked, place = {}, 0, ARGV[3]
repeat
  local ids = {}
  if ARGV[1] == 'list' then
    ids = redis.call('LRANGE', KEYS[1], place, place + AT_ONCE - 1)
    place = #ids < AT_ONCE and '' or place + AT_ONCE
  else
    local scanned = redis.call('ZSCAN', KEYS[1], place, 'COUNT', AT_ONCE)
    for at = 1, #scanned[2], 2 do table.insert(ids, scanned[2][at]) end
    place = scanned[1] == '0' and '' or scanned[1]
  end
  for _, id in ipairs(ids) do
    if holds(id) then table.insert(found, id) end
  end
  looked = looked + #ids
until place == '' or micros() > deadline
return {tostring(place), looked, unpack(found)}
