-- Charges one call to an outside system's budget, or says how long to wait.
--
-- KEYS[1]  the pause (string with a life): calls wait while it exists
-- KEYS[2]  the window (counter with a life): calls made in the current window
-- ARGV[1]  budget  calls in a window
-- ARGV[2]  window  milliseconds
--
-- Returns {0, ""} | {milliseconds, "paused"} | {milliseconds, "budget"}

local paused = redis.call('PTTL', KEYS[1])
if paused > 0 then
  return {paused, 'paused'}
end
local made = tonumber(redis.call('GET', KEYS[2])) or 0
if made >= tonumber(ARGV[1]) then
  return {math.max(1, redis.call('PTTL', KEYS[2])), 'budget'}
end
if redis.call('INCR', KEYS[2]) == 1 then
  redis.call('PEXPIRE', KEYS[2], ARGV[2])
end
return {0, ''}
