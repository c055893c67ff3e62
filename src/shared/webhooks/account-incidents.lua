-- needs ../state/held.lua
-- needs outbox.lua
--[[
  Library: notes that the account is held, that it flows again, and that too much is rejected; each once per incident.
]]
-- A 429 holds for seconds, and an outage may end soon: both are announced only if they last. The other holds need a person.
local GRACE = {['rate-limit'] = 60000, unavailable = 60000}
-- A starting replica probes every hold at once, so a hold counts as over only after this time without one.
local RESUMED_AFTER = 3000
-- least decided associations in the window for a rate
local LEAST_DECIDED = 100
local SAMPLE_EVERY, SAMPLES = 60000, 6

-- An incident begins when the account is held (held.lua) and is over when a probe has succeeded: strikes are forgotten then.
local function observeHold(webhook, holdKey, states, now)
  local heldSince, freeSince = noted(webhook, 'heldSince'), noted(webhook, 'freeSince')
  local announced = webhook.kept.announced == '1'
  local hold = accountHold(holdKey, states, now)
  local isProbeDue = kept(redis.call('HGET', holdKey, 'strikes')) > 0
  if hold or (announced and isProbeDue) then
    if heldSince == 0 then
      heldSince = now
      note(webhook, 'heldSince', now)
    end
    if hold and not announced and now - heldSince >= (GRACE[hold[2]] or 0) then
      announce(webhook, {kind = 'held', at = now, hold = hold[2], reason = hold[3], heldUntil = hold[1]})
      note(webhook, 'announced', '1')
    end
    note(webhook, 'freeSince', nil)
  elseif heldSince > 0 and announced and freeSince == 0 then
    note(webhook, 'freeSince', now)
  elseif heldSince > 0 and (not announced or now - freeSince >= RESUMED_AFTER) then
    if announced then announce(webhook, {kind = 'resumed', at = now, heldMs = freeSince - heldSince}) end
    for _, name in ipairs({'heldSince', 'freeSince', 'announced'}) do note(webhook, name, nil) end
  end
end

-- Returns the samples of the window, newest first.
local function readSamples(key, now)
  local samples = {}
  for _, sample in ipairs(redis.call('LRANGE', key, 0, SAMPLES - 1)) do
    local at, created, rejected = sample:match('^(%d+) (%-?%d+) (%-?%d+)$')
    if not at or now - at > SAMPLE_EVERY * SAMPLES then break end
    samples[#samples + 1] = {at = tonumber(at), created = tonumber(created), rejected = tonumber(rejected)}
  end
  return samples
end

-- Compares the totals with those of some minutes ago, over all replicas. Returns a function that writes the next sample.
local function observeRejections(webhook, samplesKey, counters, rate, now)
  expectType('list', samplesKey)
  expectCounts(counters, 'created', 'rejected')
  local totals = redis.call('HMGET', counters, 'created', 'rejected')
  local created, rejected = tonumber(totals[1] or 0), tonumber(totals[2] or 0)
  local samples = readSamples(samplesKey, now)
  local newest, oldest = samples[1], samples[#samples]
  if oldest then
    -- retried rejections lower the total
    local newCreated, newRejected = math.max(0, created - oldest.created), math.max(0, rejected - oldest.rejected)
    local decided, rejecting = newCreated + newRejected, webhook.kept.rejecting == '1'
    local percent = decided > 0 and 100 * newRejected / decided or 0
    if not rejecting and decided >= LEAST_DECIDED and percent > rate then
      announce(webhook, {kind = 'rejections', at = now, rejected = newRejected, decided = decided, rate = rate,
        windowMs = now - oldest.at})
      note(webhook, 'rejecting', '1')
    elseif rejecting and percent < rate / 2 then
      note(webhook, 'rejecting', nil) -- the incident is over
    end
  end
  return function()
    if newest and now - newest.at < SAMPLE_EVERY then return end
    redis.call('LPUSH', samplesKey, string.format('%.0f %.0f %.0f', now, created, rejected))
    redis.call('LTRIM', samplesKey, 0, math.min(SAMPLES - 1, #samples))
    redis.call('PEXPIRE', samplesKey, 2 * SAMPLE_EVERY * SAMPLES)
  end
end
