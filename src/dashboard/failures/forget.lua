#!lua flags=allow-oom
-- needs ../../bullmq/layout.lua
-- needs ../../shared/state/rejections.lua
-- needs ../../shared/state/count-request.lua
--[[
  Replaces the data of a failed job, provided that it is still the failed job that was read, and updates the index of
  rejections (rejections.lua). A job that was retried meanwhile belongs to its worker and stays unchanged. The sender of a
  gateway request may still ask for it, so the discarded associations are noted with the request, as long as Redis keeps
  it (count-request.lua), and counted there. The reasons of its rejections stay, as its rejected does.

  KEYS[1] BullMQ's failed set   KEYS[2] the job's hash   KEYS[3] our counters
  KEYS[4] rejections  KEYS[5] rejection (prefix)  KEYS[6] rejectedJobs  KEYS[7…12] requests, as request-list.lua takes them
  ARGV[1] job id
  ARGV[2] the data as it was read
  ARGV[3] the data to put in its place
  ARGV[4] associations that this discard makes rejected (they had no outcome before)
  ARGV[5] discarded associations, including those
  ARGV[6] prefix of a field of the request   ARGV[7] JSON: the discarded associations
  ARGV[8] the request of the job; '' = none
  ARGV[9…] the rejections of the job from now on, in the form of rejections.lua; then the reasons of those that have no outcome, in the form of
    count-request.lua
  Returns 1 = replaced, 0 = the job has changed
]]
local undecided, discarded, name, note = integer(ARGV[4]), integer(ARGV[5]), text(ARGV[6]), text(ARGV[7])
local groups, at = readGroups(9)
local reasons, requests = readReasons(at), requestKeys(7)
local index = {groups = KEYS[4], group = KEYS[5], jobs = KEYS[6]}
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then return 0 end
if redis.call('HGET', KEYS[2], DATA) ~= ARGV[2] then return 0 end
expectCounts(KEYS[3], 'rejected', 'discarded')
expectIndex(index)
local request = ARGV[8] ~= '' and readRequest(requests, ARGV[8])

-- nothing fails from here on
redis.call('HSET', KEYS[2], DATA, ARGV[3])
if undecided > 0 then redis.call('HINCRBY', KEYS[3], 'rejected', undecided) end
if discarded > 0 then redis.call('HINCRBY', KEYS[3], 'discarded', discarded) end
indexRejections(index, ARGV[1], groups)
if request then
  if discarded > 0 then
    -- the count makes the name of the note unique
    local all = kept(redis.call('HGET', request.key, 'discarded')) + discarded
    redis.call('HSET', request.key, 'discarded', all, name .. all, note)
  end
  for _, reason in ipairs(reasons) do countReason(request, reason) end
  if undecided > 0 then countRequest(requests, request, 0, undecided, 0) end
end
return 1
