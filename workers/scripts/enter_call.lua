-- Charges calls to an outside system's budget, or says how long to wait.
--
-- KEYS[1]  the pause (string with a life): calls wait while it exists
-- KEYS[2]  the window (counter with a life): calls charged in the current window
-- ARGV[1]  budget  calls in a window
-- ARGV[2]  window  milliseconds
-- ARGV[3]  calls   how many are charged; 0 asks for the pause only
-- ARGV[4]  "begin": they have to fit, unless the window is empty | "go on": they may overdraw
--
-- Returns {0, ""} | {milliseconds, "paused"} | {milliseconds, "budget"}

local paused = redis.call('PTTL', KEYS[1])
if paused > 0 then
  return {paused, 'paused'}
end
local calls = tonumber(ARGV[3])
if calls == 0 then
  return {0, ''}
end
local charged = tonumber(redis.call('GET', KEYS[2])) or 0
if ARGV[4] == 'begin' and charged > 0 and charged + calls > tonumber(ARGV[1]) then
  return {math.max(1, redis.call('PTTL', KEYS[2])), 'budget'}
end
if redis.call('INCRBY', KEYS[2], calls) == calls then
  redis.call('PEXPIRE', KEYS[2], ARGV[2])
end
return {0, ''}
