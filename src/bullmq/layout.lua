--[[
  Library: BullMQ's names for our scripts; layout.ts has them for TypeScript. Keys come as arguments.
]]
-- fields of a job's hash
local DATA, OPTIONS, PRIORITY, ENQUEUED_AT, TAKEN_AT, FINISHED_AT = 'data', 'opts', 'priority', 'timestamp', 'processedOn', 'finishedOn'
local RETURN_VALUE, FAILED_REASON, STACKTRACE = 'returnvalue', 'failedReason', 'stacktrace'
local STARTS, ATTEMPTS = 'ats', 'atm' -- a job without starts was never fetched
local PARENT, DEDUPLICATION, SCHEDULER, MUST_FAIL = 'parentKey', 'deid', 'rjk', 'defa'
-- fields of the queue's hash
local PAUSED, CONCURRENCY, RATE_LIMIT, MOST_EVENTS = 'paused', 'concurrency', 'max', 'opts.maxLenEvents'
-- fields of the hash of a metric
local COUNT, POINT_AT, POINT_COUNT = 'count', 'prevTS', 'prevCount'
-- a score in `prioritized` is priority times this and a running number
local PRIORITY_STEP = 2 ^ 32

-- Returns the key of the string with the token of the worker that has the job.
local function lockOf(job)
  return job .. ':lock'
end
