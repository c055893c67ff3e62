-- Holds of these kinds pass only when a probe succeeds; the others (a rate limit, a day, a migration) when their time is over.
local function isProbed(kind)
  return kind == 'auth' or kind == 'account' or kind == 'unavailable'
end
