#!lua flags=allow-oom
-- needs ../../bullmq/layout.lua
-- needs ../../shared/state/minutes.lua
-- needs ../../shared/state/rejections.lua
-- needs ../../shared/state/count-request.lua
--[[
  Counts the rejections of a retried job as queued again: in its data they become pairs, and the totals, the minute, the index of
  rejections and the record of its request change in the same step. From then on it is a job like any other for the worker that
  takes it. It runs in the transaction that moves the job from the failed ones to the waiting ones, after the move, or alone later.

  It does so only if the job waits and is still as it was read: no worker has it, and it has neither failed nor completed. A worker
  that has the job counts them back itself, when it settles the job. The first write is one that a full Redis refuses.

  KEYS[1] BullMQ's failed set   KEYS[2] the job's hash   KEYS[3] our counters   KEYS[4] minutes  prefix of hashes
  KEYS[5] rejections  KEYS[6] rejection (prefix)  KEYS[7] rejectedJobs  KEYS[8…13] requests, as request-list.lua takes them
  ARGV[1] job id
  ARGV[2] the data as it was read
  ARGV[3] the data to put in its place; '' = there is nothing to count back, and only the index forgets the job
  ARGV[4] associations that are counted back
  ARGV[5] the request of the job; '' = none
  ARGV[6…] how the reasons of the request change, in the form of count-request.lua
  Returns 1 = counted, 0 = the job is not as it was read
]]
local id, before, data, associations, of = text(ARGV[1]), text(ARGV[2]), text(ARGV[3]), integer(ARGV[4]), text(ARGV[5])
local index, requests = {groups = KEYS[5], group = KEYS[6], jobs = KEYS[7]}, requestKeys(8)
local reasons = readReasons(6)
local job = redis.call('HMGET', KEYS[2], DATA, FINISHED_AT)
if job[1] ~= before or job[2] or redis.call('ZSCORE', KEYS[1], id) then return 0 end
if redis.call('EXISTS', lockOf(KEYS[2])) == 1 then return 0 end
expectCounts(KEYS[3], 'rejected')
local bucket = minuteBucket(KEYS[4], 'reopened')
expectIndex(index)
local request = associations > 0 and of ~= '' and readRequest(requests, of)

-- nothing fails from here on
redis.call('HSET', KEYS[2], DATA, data ~= '' and data or before)
if associations > 0 then
  redis.call('HINCRBY', KEYS[3], 'rejected', -associations)
  countMinute(bucket, {reopened = associations})
end
indexRejections(index, id, {})
if request then
  for _, reason in ipairs(reasons) do countReason(request, reason) end
  countRequest(requests, request, 0, -associations, 0)
end
return 1
