#!lua flags=allow-oom
-- needs outbox.lua
-- needs ended-requests.lua
--[[
  A process says what became of the event that it posted, and gives the webhook back.

  KEYS[1] the webhook  hash, see outbox.lua   KEYS[2] prefix of the records of requests
  KEYS[3] ends that are to be announced  sorted set
  ARGV[1] id of the event   ARGV[2] its time, ms   ARGV[3] who posted it   ARGV[4] over = it is not posted again; failed
  ARGV[5] the request; '' if the event is an incident
]]
local id, at, poster, isOver, request = text(ARGV[1]), integer(ARGV[2]), text(ARGV[3]), text(ARGV[4]) == 'over', text(ARGV[5])
local now = nowMs()
local webhook = readWebhook(KEYS[1])
if webhook.kept.leasedBy == poster then
  note(webhook, 'leasedBy', nil)
  note(webhook, 'leaseUntil', nil)
end
for place = #webhook.outbox, 1, -1 do
  local event = webhook.outbox[place]
  if event.id == id and isOver then table.remove(webhook.outbox, place)
  elseif event.id == id then event.notBefore = now + eventPause(now, at) end
end
if isOver then
  note(webhook, 'strikes', nil)
  note(webhook, 'pausedUntil', nil)
else
  local strikes = noted(webhook, 'strikes') + 1
  note(webhook, 'strikes', strikes)
  note(webhook, 'pausedUntil', now + math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ^ math.min(strikes - 1, 20)))
end
local isAnnounced = request ~= '' and isSameEnd(KEYS[2], request, at)

-- nothing fails from here on
writeWebhook(webhook)
if isAnnounced and isOver then redis.pcall('ZREM', KEYS[3], request)
elseif isAnnounced then redis.pcall('ZADD', KEYS[3], 'XX', now + eventPause(now, at), request) end
return 0
