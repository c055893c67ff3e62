--[[
  Library: a script does all that can fail before its first write, because Redis does not take back what a script has
  written before it fails. These functions fail first, and say which key or argument is at fault.
]]
-- A whole number as text that every command takes, at most about 2^53.
local function isInteger(text)
  return type(text) == 'string' and #text <= 17 and text:find('^%-?%d+$') ~= nil
end

local INTEGERS = {} -- nearly all arguments of a call are a few short numbers
local function integer(text)
  local value = text and INTEGERS[text]
  if value then return value end
  if not isInteger(text) then error('an argument is not an integer: ' .. tostring(text):sub(1, 40), 0) end
  value = tonumber(text)
  INTEGERS[text] = value
  return value
end

local function number(text)
  local value = tonumber(text or '')
  if not value or value ~= value or math.abs(value) > 2 ^ 53 then
    error('an argument is not a number: ' .. tostring(text):sub(1, 40), 0)
  end
  return value
end

-- A number that a script has kept in a hash; 0 where there is none, or something else stands there.
local function kept(value)
  local found = tonumber(value or '')
  return found and math.abs(found) <= 2 ^ 53 and found or 0
end

local function text(argument)
  return argument or error('an argument is missing', 0)
end

local function wrongType(kind, key, reply)
  local found = redis.call('TYPE', key).ok
  if found == kind or found == 'none' then error(reply.err, 0) end
  error('WRONGTYPE ' .. key .. ' is a ' .. found .. ' and must be a ' .. kind .. '; rename or delete it', 0)
end

-- The key is of this type, or not there. Returns how many are in it: that takes half the time of TYPE, whose reply is a
-- table. (So would be a list of these commands, which would be made for each call of a script.)
local function expectType(kind, key)
  local size = redis.pcall(kind == 'list' and 'LLEN' or kind == 'zset' and 'ZCARD' or kind == 'hash' and 'HLEN'
    or kind == 'set' and 'SCARD' or 'XLEN', key)
  if type(size) == 'table' then wrongType(kind, key, size) end
  return size
end

-- The key is a hash whose fields of these names are whole numbers, or not there.
local function expectCounts(key, ...)
  local values = redis.pcall('HMGET', key, ...)
  if values.err then wrongType('hash', key, values) end
  for at, value in ipairs(values) do
    if value and not isInteger(value) then
      error('the field ' .. (select(at, ...)) .. ' of ' .. key .. ' is not an integer; delete it', 0)
    end
  end
end
