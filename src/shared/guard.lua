--[[
  Library: a script does all that can fail before its first write, because Redis does not take back what a script has
  written before it fails. These functions fail first, and say which key or argument is at fault.
]]
-- A whole number as text that every command takes, at most about 2^53.
local function isInteger(text)
  return type(text) == 'string' and #text <= 17 and text:match('^%-?%d+$') ~= nil
end

local function integer(text)
  if not isInteger(text) then error('an argument is not an integer: ' .. tostring(text):sub(1, 40), 0) end
  return tonumber(text)
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

-- Each key is of this type, or not there.
local function expectType(kind, ...)
  for _, key in ipairs({...}) do
    local found = redis.call('TYPE', key).ok
    if found ~= kind and found ~= 'none' then
      error('WRONGTYPE ' .. key .. ' is a ' .. found .. ' and must be a ' .. kind .. '; rename or delete it', 0)
    end
  end
end

-- The key is a hash whose fields of these names are whole numbers, or not there.
local function expectCounts(key, ...)
  expectType('hash', key)
  local names = {...}
  for at, value in ipairs(redis.call('HMGET', key, unpack(names))) do
    if value and not isInteger(value) then
      error('the field ' .. names[at] .. ' of ' .. key .. ' is not an integer; delete it', 0)
    end
  end
end
