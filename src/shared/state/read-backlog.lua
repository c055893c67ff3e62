-- needs backlog.lua
--[[
  Estimates the associations in the queue (backlog.lua). Changes nothing.
  KEYS[1] wait  KEYS[2] paused  KEYS[3] active  (lists)  KEYS[4] delayed  KEYS[5] prioritized  (sorted sets)
  ARGV[1] prefix of job hashes   ARGV[2] jobs to read in each state
  Returns the estimate
]]
return estimateBacklog(KEYS, ARGV[1], tonumber(ARGV[2]))
