#!lua flags=allow-oom
-- needs ../runtime/guard.lua
-- needs ../../bullmq/layout.lua
-- needs outbox.lua
-- needs account-incidents.lua
-- needs worker-incidents.lua
-- needs ended-requests.lua
--[[
  Observes the queue for one webhook and gives the process that asks the event that it posts now. Any process may ask at any
  time; one posts at a time. If it dies, the lease ends and another process gets the same event.

  KEYS[1] the webhook  hash, see outbox.lua   KEYS[2] samples  list: "ms created rejected", one a minute, newest first
  KEYS[3] hold   KEYS[4] counters   KEYS[5] meta of BullMQ  (hashes)   KEYS[6] workers  sorted set
  KEYS[7] prefix of the records of requests   KEYS[8] ends that are to be announced  sorted set
  KEYS[9] wait  KEYS[10] paused  KEYS[11] active  (lists)   KEYS[12] delayed  KEYS[13] prioritized  (sorted sets)
  ARGV[1] who asks   ARGV[2] ms for which it may post   ARGV[3] ms of silence after which a worker counts as dead
  ARGV[4] share of rejections, in percent of the decided associations, from which on they are announced; 0 = never;
          -1 = neither they nor holds of the account are
  ARGV[5] requests without a name are announced if they have more associations than this; -1 = no request is

  Returns the event to post as JSON {id, kind, at, …}; '' if there is none, somebody else posts, or the webhook pauses
]]
-- The hash of a webhook that nobody looks after is gone after a week.
local KEEP, RENEW = 7 * 86400, 6 * 86400
local asker, leaseMs, silentMs = text(ARGV[1]), integer(ARGV[2]), integer(ARGV[3])
local rate, least = number(ARGV[4]), integer(ARGV[5])
local states = {unpack(KEYS, 9, 13)}
local now = nowMs()
local webhook = readWebhook(KEYS[1])
for at = #webhook.outbox, 1, -1 do
  if now - webhook.outbox[at].at > KEEP_INCIDENT then table.remove(webhook.outbox, at) end
end

local writeSample
if rate >= 0 then
  observeHold(webhook, KEYS[3], states, now)
  if rate > 0 then writeSample = observeRejections(webhook, KEYS[2], KEYS[4], rate, now) end
end
observeWorkers(webhook, KEYS[6], silentMs, KEYS[5], states, now)

local taken, dropped
local isFirstLook = noted(webhook, 'since') == 0
if isFirstLook then note(webhook, 'since', now) end
if math.max(noted(webhook, 'leaseUntil'), noted(webhook, 'pausedUntil')) <= now then
  local mayBeAgain = noted(webhook, 'againFrom') <= now
  taken = nextIncident(webhook, now, mayBeAgain)
  if not taken and least >= 0 and not isFirstLook then
    taken, dropped = nextEnd(KEYS[7], KEYS[8], least, now, mayBeAgain)
  end
  if taken then
    note(webhook, 'leasedBy', asker)
    note(webhook, 'leaseUntil', now + leaseMs)
  end
end
local answer = taken and cjson.encode(taken) or ''
local isRenewed = redis.call('TTL', KEYS[1]) < RENEW

-- nothing fails from here on
writeWebhook(webhook, writeSample)
if isRenewed then redis.call('EXPIRE', KEYS[1], KEEP) end
if least >= 0 and isFirstLook then redis.pcall('ZREMRANGEBYSCORE', KEYS[8], '-inf', now - LOOK_BACK) end
for _, id in ipairs(dropped or {}) do redis.pcall('ZREM', KEYS[8], id) end
return answer
