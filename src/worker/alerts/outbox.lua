--[[
  Library: announcements that wait to be posted, as they stand in Redis.
]]
-- What is not written by these scripts is no announcement, and holds up none.
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
