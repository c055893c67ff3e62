--[[
  Library: a script must do everything that can fail before its first write, because Redis does not roll back the writes
  of a script that fails. These functions fail early and name the key or the argument.
]]
-- Accepts an integer as text that every Redis command takes, at most about 2^53.
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

-- Returns a number that a script stored in a hash; 0 if there is none or the field has another value.
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

-- Fails unless the key has this type or does not exist. Returns its size: a size command takes half the time of TYPE,
-- whose reply is a table. (A table of these commands would cost as much, because every call of a script would build it.)
local function expectType(kind, key)
  local size = redis.pcall(kind == 'list' and 'LLEN' or kind == 'zset' and 'ZCARD' or kind == 'hash' and 'HLEN'
    or kind == 'set' and 'SCARD' or 'XLEN', key)
  if type(size) == 'table' then wrongType(kind, key, size) end
  return size
end

-- Fails unless the key is a hash whose fields of these names are integers, or does not exist.
local function expectCounts(key, ...)
  local values = redis.pcall('HMGET', key, ...)
  if values.err then wrongType('hash', key, values) end
  for at, value in ipairs(values) do
    if value and not isInteger(value) then
      error('the field ' .. (select(at, ...)) .. ' of ' .. key .. ' is not an integer; delete it', 0)
    end
  end
end
