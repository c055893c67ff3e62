--[[
  Library: reads the announcements that wait to be posted.
]]
-- Ignores entries that these scripts did not write, so that they block no announcement.
local function readOutbox(json)
  local isJson, list = pcall(cjson.decode, json or '[]')
  local outbox = {}
  for _, event in ipairs(isJson and type(list) == 'table' and list or {}) do
    if type(event) == 'table' and type(event.tries) == 'number' and type(event.notBefore) == 'number' then
      table.insert(outbox, event)
    end
  end
  return outbox
end
