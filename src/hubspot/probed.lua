-- Holds of these kinds end only when a probe succeeds. The others (rate limit, daily limit, migration) end by time.
local function isProbed(kind)
  return kind == 'auth' or kind == 'account' or kind == 'unavailable'
end
