#!lua flags=allow-oom
-- needs ../../shared/runtime/guard.lua
-- needs ../../shared/state/held.lua
-- needs outbox.lua
--[[
  Observes the queue for all replicas: notes each announcement once per incident, and assigns one announcement to the replica
  that asks. Any replica may ask at any time. If a replica dies with an announcement, the script assigns it to another one
  when its time is over.

  KEYS[1] alerts    hash: heldSince, freeSince (ms), announced (1 = announced), rejecting (1 = announced), nextId, outbox (JSON list, oldest first)
  KEYS[2] samples   list: "ms created rejected", one a minute, newest first
  KEYS[3] hold      hash, see hold.lua        KEYS[4] counters  hash
  KEYS[5] wait  KEYS[6] paused  KEYS[7] active  (lists)   KEYS[8] delayed  KEYS[9] prioritized  (sorted sets)
  ARGV[1] share of rejections, in percent of the decided associations, from which on they are announced; 0 = never
  ARGV[2] ms that one try to post may take

  Returns the announcement to post as JSON {id, kind, tries, …}; '' if there is none, or another replica has it
]]
-- A 429 holds for seconds, and an outage may end soon: both are announced only if they last. The other holds need a person.
local GRACE = {['rate-limit'] = 60000, unavailable = 60000}
-- A starting replica probes every hold at once, so a hold counts as over only after this time without one.
local RESUMED_AFTER = 3000
-- least decided associations in the window for a rate
local LEAST_DECIDED = 100
local SAMPLE_EVERY, SAMPLES = 60000, 6
local MOST_TRIES, LONGEST_PAUSE, MOST_WAITING = 8, 300000, 20

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local h = redis.call('HMGET', KEYS[1], 'heldSince', 'announced', 'rejecting', 'outbox', 'freeSince')
local heldSince, announced, rejecting = tonumber(h[1] or ''), h[2] == '1', h[3] == '1'
local outbox, freeSince = readOutbox(h[4]), tonumber(h[5] or '')
local before = #outbox
local rate, turnMs = number(ARGV[1]), integer(ARGV[2])
expectCounts(KEYS[1], 'nextId')
expectType('list', KEYS[2])
expectCounts(KEYS[4], 'created', 'rejected')

local function announce(event)
  event.id, event.at, event.tries, event.notBefore = redis.call('HINCRBY', KEYS[1], 'nextId', 1), now, 0, 0
  if #outbox < MOST_WAITING then table.insert(outbox, event) end
end

-- An incident begins when the account is held (held.lua) and is over when a probe has succeeded: strikes are forgotten then.
local hold = accountHold(KEYS[3], {unpack(KEYS, 5, 9)}, now)
local isProbeDue = kept(redis.call('HGET', KEYS[3], 'strikes')) > 0
if hold or (announced and isProbeDue) then
  if not heldSince then
    heldSince = now
    redis.call('HSET', KEYS[1], 'heldSince', now)
  end
  if hold and not announced and now - heldSince >= (GRACE[hold[2]] or 0) then
    announce({kind = 'held', hold = hold[2], reason = hold[3], heldUntil = hold[1]})
    redis.call('HSET', KEYS[1], 'announced', 1)
  end
  redis.call('HDEL', KEYS[1], 'freeSince')
elseif heldSince and announced and not freeSince then
  redis.call('HSET', KEYS[1], 'freeSince', now)
elseif heldSince and (not announced or now - freeSince >= RESUMED_AFTER) then
  if announced then announce({kind = 'resumed', heldMs = freeSince - heldSince}) end
  redis.call('HDEL', KEYS[1], 'heldSince', 'freeSince', 'announced')
end

-- rejections of the last minutes, over all replicas
if rate > 0 then
  local totals = redis.call('HMGET', KEYS[4], 'created', 'rejected')
  local created, rejected = tonumber(totals[1] or 0), tonumber(totals[2] or 0)
  local function read(index)
    local sample = redis.call('LINDEX', KEYS[2], index)
    if not sample then return nil end
    local at, c, r = sample:match('^(%d+) (%-?%d+) (%-?%d+)$')
    return tonumber(at), tonumber(c), tonumber(r)
  end
  local oldest, createdThen, rejectedThen = read(-1)
  while oldest and now - oldest > SAMPLE_EVERY * SAMPLES do
    redis.call('RPOP', KEYS[2])
    oldest, createdThen, rejectedThen = read(-1)
  end
  local newest = read(0)
  if not newest or now - newest >= SAMPLE_EVERY then
    redis.call('LPUSH', KEYS[2], string.format('%.0f %.0f %.0f', now, created, rejected))
    redis.call('LTRIM', KEYS[2], 0, SAMPLES - 1)
    redis.call('PEXPIRE', KEYS[2], 2 * SAMPLE_EVERY * SAMPLES)
  end
  if oldest then
    -- retried rejections lower the total
    local newCreated, newRejected = math.max(0, created - createdThen), math.max(0, rejected - rejectedThen)
    local decided = newCreated + newRejected
    local percent = decided > 0 and 100 * newRejected / decided or 0
    if not rejecting and decided >= LEAST_DECIDED and percent > rate then
      announce({kind = 'rejections', rejected = newRejected, decided = decided, rate = rate, windowMs = now - oldest})
      redis.call('HSET', KEYS[1], 'rejecting', 1)
    elseif rejecting and percent < rate / 2 then
      redis.call('HDEL', KEYS[1], 'rejecting') -- the incident is over
    end
  end
end

-- one announcement at a time, in order; the replica that takes it may post it until its pause is over
local taken = ''
local first = outbox[1]
if first and first.notBefore <= now then
  first.tries = first.tries + 1
  first.notBefore = now + math.min(LONGEST_PAUSE, turnMs * 2 ^ (first.tries - 1))
  taken = cjson.encode(first)
  if first.tries >= MOST_TRIES then table.remove(outbox, 1) end -- this is the last try
end
if #outbox > 0 then redis.call('HSET', KEYS[1], 'outbox', cjson.encode(outbox))
elseif before > 0 then redis.call('HDEL', KEYS[1], 'outbox') end
return taken
