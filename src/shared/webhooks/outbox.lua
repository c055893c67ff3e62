-- needs ../runtime/guard.lua
--[[
  Library: what one webhook has announced and has still to announce. A script reads all of it first, changes it in memory,
  and writes the changes at its end, so that nothing can fail in between.

  The hash of a webhook: since (ms, the first look of all), outbox (JSON list of incidents that wait, oldest first), leasedBy
  and leaseUntil (who posts now, and until when), and what each kind of incident has noted.
  Pauses after posts that were not taken: strikes and pausedUntil hold up everything, because the receiver is away;
  againStrikes and againFrom hold up the events that were posted before, because such a post tells nothing about new events.
]]
-- Incidents that wait for a webhook, at most; a day later they are news to nobody.
local MOST_WAITING, KEEP_INCIDENT = 20, 86400000
-- A pause of the webhook doubles; the pause of an event grows with its age.
local FIRST_PAUSE, LONGEST_PAUSE = 2000, 300000

-- Ignores entries that these scripts did not write, so that they block no announcement.
local function readOutbox(json)
  local isJson, list = pcall(cjson.decode, json or '[]')
  local outbox = {}
  for _, event in ipairs(isJson and type(list) == 'table' and list or {}) do
    if type(event) == 'table' and type(event.at) == 'number' and type(event.notBefore) == 'number' then
      table.insert(outbox, event)
    end
  end
  return outbox
end

local function readWebhook(key)
  expectType('hash', key)
  local webhook, flat = {key = key, kept = {}, changes = {}}, redis.call('HGETALL', key)
  for at = 1, #flat, 2 do webhook.kept[flat[at]] = flat[at + 1] end
  webhook.outbox = readOutbox(webhook.kept.outbox)
  return webhook
end

-- Returns a number of the hash; 0 if there is none.
local function noted(webhook, name) return kept(webhook.kept[name]) end

-- value: text or number; nil removes the field
local function note(webhook, name, value)
  if value == nil and webhook.kept[name] == nil then return end
  webhook.kept[name] = value
  webhook.changes[name] = value or false
end

-- event: {kind, at (ms), …}; its id is the same in whatever process posts it
local function announce(webhook, event)
  event.id, event.notBefore = string.format('%s-%.0f', event.kind, event.at), 0
  if #webhook.outbox < MOST_WAITING then table.insert(webhook.outbox, event) end
end

-- strikes, untilWhen: names of the fields of a pause
local function lengthenPause(webhook, strikes, untilWhen, now)
  local count = noted(webhook, strikes) + 1
  note(webhook, strikes, count)
  note(webhook, untilWhen, now + math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ^ math.min(count - 1, 20)))
end

local function endPause(webhook, strikes, untilWhen)
  note(webhook, strikes, nil)
  note(webhook, untilWhen, nil)
end

-- Returns the next incident to post, or nil. mayBeAgain: one that was posted before may be posted again
local function nextIncident(webhook, now, mayBeAgain)
  for _, event in ipairs(webhook.outbox) do
    if event.notBefore == 0 or (mayBeAgain and event.notBefore <= now) then return event end
  end
  return nil
end

-- Returns the pause before an event is posted again: as long as it has waited so far.
local function eventPause(now, at) return math.max(FIRST_PAUSE, math.min(LONGEST_PAUSE, now - at)) end

local function nowMs()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Writes what has changed. First what a full Redis may refuse, so that it refuses all of it; `more` writes what else it may.
local function writeWebhook(webhook, more)
  local outbox = #webhook.outbox > 0 and cjson.encode(webhook.outbox) or nil
  if outbox ~= webhook.kept.outbox then note(webhook, 'outbox', outbox) end
  local fields, gone = {}, {}
  for name, value in pairs(webhook.changes) do
    if value == false then
      gone[#gone + 1] = name
    else
      fields[#fields + 1] = name
      fields[#fields + 1] = value
    end
  end
  if #fields > 0 then redis.call('HSET', webhook.key, unpack(fields)) end
  if more then more() end
  if #gone > 0 then redis.call('HDEL', webhook.key, unpack(gone)) end
end
