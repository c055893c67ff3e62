-- needs ../../bullmq/layout.lua
-- needs ../../shared/state/rejections.lua
--[[
  Writes the rejections of a job into the index, provided that the job is still as read (rejections.lua). If its worker
  changed the job meanwhile, the worker has also updated the index.

  KEYS[1] BullMQ's failed set   KEYS[2] the job's hash
  KEYS[3] rejections  KEYS[4] rejection (prefix)  KEYS[5] rejectedJobs
  ARGV[1] job id
  ARGV[2] the data as it was read; '' = the job was removed
  ARGV[3] 1 = only if the job is in the failed set, 0 = only if it is not
  ARGV[4…] the rejections of the job, in the form of rejections.lua
  Returns 1 = the job was still as read, 0 = it has changed
]]
local index, groups = {groups = KEYS[3], group = KEYS[4], jobs = KEYS[5]}, readGroups(4)
expectIndex(index)
if (redis.call('ZSCORE', KEYS[1], ARGV[1]) and '1' or '0') ~= ARGV[3] then return 0 end
if (redis.call('HGET', KEYS[2], DATA) or '') ~= ARGV[2] then return 0 end
indexRejections(index, ARGV[1], groups)
return 1
