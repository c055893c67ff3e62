#!lua flags=allow-oom
-- needs outbox.lua
-- needs ended-requests.lua
--[[
  A process says what became of the event that it posted, and gives the webhook back. An event that was not taken is posted
  again after a pause of its own. What holds up others besides:
    failed, the first post of the event   the receiver seems to be away: everything waits for a pause that doubles
    not taken, a later post               events that were posted before wait for a pause that doubles; new ones go on
    refused, the first post               nothing
  An answer that takes or refuses an event ends the first pause, an event that is taken or unwanted ends both.

  KEYS[1] the webhook  hash, see outbox.lua   KEYS[2] prefix of the records of requests
  KEYS[3] ends that are to be announced  sorted set
  ARGV[1] id of the event   ARGV[2] its time, ms   ARGV[3] who posted it
  ARGV[4] taken, unwanted · refused, failed · gone = nobody posted it, because its request is no longer kept
  ARGV[5] the request; '' if the event is an incident
]]
local id, at, poster, fate, request = text(ARGV[1]), integer(ARGV[2]), text(ARGV[3]), text(ARGV[4]), text(ARGV[5])
local isOver = fate == 'taken' or fate == 'unwanted' or fate == 'gone'
local now = nowMs()
local webhook = readWebhook(KEYS[1])
if webhook.kept.leasedBy == poster then
  note(webhook, 'leasedBy', nil)
  note(webhook, 'leaseUntil', nil)
end
local isAnnounced = request ~= '' and isSameEnd(KEYS[2], request, at)
local isRepeat = isAnnounced and wasPosted(KEYS[3], request)
for place = #webhook.outbox, 1, -1 do
  local event = webhook.outbox[place]
  if event.id == id then
    isRepeat = event.notBefore > 0
    if isOver then table.remove(webhook.outbox, place) else event.notBefore = now + eventPause(now, at) end
  end
end
if fate == 'taken' or fate == 'unwanted' then endPause(webhook, 'againStrikes', 'againFrom') end
if fate == 'taken' or fate == 'unwanted' or fate == 'refused' then endPause(webhook, 'strikes', 'pausedUntil') end
if not isOver and isRepeat then lengthenPause(webhook, 'againStrikes', 'againFrom', now)
elseif fate == 'failed' then lengthenPause(webhook, 'strikes', 'pausedUntil', now) end

-- nothing fails from here on
writeWebhook(webhook)
if isAnnounced and isOver then redis.pcall('ZREM', KEYS[3], request)
elseif isAnnounced then redis.pcall('ZADD', KEYS[3], 'XX', now + eventPause(now, at) - AGAIN, request) end
return 0
