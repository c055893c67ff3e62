-- needs ../../bullmq/layout.lua
-- needs ../../shared/state/rejections.lua
--[[
  Writes into the index what a job holds, if the job is still what was read (shared/rejections.lua). What its worker
  has changed since, the worker has indexed.

  KEYS[1] BullMQ's failed set   KEYS[2] the job's hash
  KEYS[3] rejections  KEYS[4] rejection (prefix)  KEYS[5] rejectedJobs
  ARGV[1] job id
  ARGV[2] the data as it was read; '' = the job is gone
  ARGV[3] 1 = only while it is in the failed set, 0 = only when it is not
  ARGV[4…] the rejections that it holds, as shared/rejections.lua reads them
  Returns 1 when it was as read
]]
local index, groups = {groups = KEYS[3], group = KEYS[4], jobs = KEYS[5]}, readGroups(4)
expectIndex(index)
if (redis.call('ZSCORE', KEYS[1], ARGV[1]) and '1' or '0') ~= ARGV[3] then return 0 end
if (redis.call('HGET', KEYS[2], DATA) or '') ~= ARGV[2] then return 0 end
indexRejections(index, ARGV[1], groups)
return 1
