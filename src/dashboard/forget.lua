--[[
  Replaces the data of a failed job, if it is still the failed job that was read, and brings the index of rejections in
  step (shared/rejections.lua). A job that somebody has retried meanwhile belongs to its worker and is left alone. Whoever
  sent a request to the gateway may still ask for it: what is discarded is remembered with the request, as long as that
  is kept (shared/count-request.lua).

  KEYS[1] BullMQ's failed set   KEYS[2] the job's hash   KEYS[3] our counters
  KEYS[4] rejections  KEYS[5] rejection (prefix)  KEYS[6] rejectedJobs  KEYS[7] hash of the request, if the job is of one
  ARGV[1] job id
  ARGV[2] the data as it was read
  ARGV[3] the data to put in its place
  ARGV[4] associations that become rejected by this (they had no outcome before)
  ARGV[5] associations that are discarded by this, those included
  ARGV[6] JSON: the rejections that the job holds from now on
  ARGV[7] beginning of a field of the request   ARGV[8] JSON: what is discarded
  Returns 1 when replaced, 0 when the job is not what it was
]]
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then return 0 end
if redis.call('HGET', KEYS[2], 'data') ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[2], 'data', ARGV[3])
if tonumber(ARGV[4]) > 0 then redis.call('HINCRBY', KEYS[3], 'rejected', ARGV[4]) end
if tonumber(ARGV[5]) > 0 then redis.call('HINCRBY', KEYS[3], 'discarded', ARGV[5]) end
indexRejections({groups = KEYS[4], group = KEYS[5], jobs = KEYS[6]}, ARGV[1], cjson.decode(ARGV[6]))
if KEYS[7] and redis.call('EXISTS', KEYS[7]) == 1 then
  redis.call('HSET', KEYS[7], ARGV[7] .. redis.call('HLEN', KEYS[7]), ARGV[8])
  if tonumber(ARGV[4]) > 0 then countRequest(KEYS[7], 0, tonumber(ARGV[4])) end
end
return 1
