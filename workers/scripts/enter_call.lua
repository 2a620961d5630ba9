-- Charges one call to an outside system's budget, or says how long to wait.
--
-- KEYS[1]  the pause (string with a life): calls wait while it exists
-- KEYS[2]  the hash of the message that the call is made for; it may be missing
-- ARGV[1]  name      <tenant>:<system>
-- ARGV[2]  limit     calls in a window
-- ARGV[3]  window    milliseconds
-- ARGV[4]  expected  with the first call of an attempt: how many it is going to make, which have to
--                    fit unless the window is empty; 0 with any later one, which may overdraw it
-- ARGV[5]  tag       of the message's claim
--
-- Returns {0, window, calls made in it, milliseconds to its end} | {milliseconds, "paused"} | {milliseconds, "budget"}
-- include budget

local paused = redis.call('PTTL', KEYS[1])
if paused > 0 then
  return {paused, 'paused'}
end

local time = redis.call('TIME')
local now_us = time[1] * 1000000 + time[2]
local now = math.floor(now_us / 1000)
local name, limit, length = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local budget = budget_of(name)
local window = current_window(name, now_us, length)
-- A claim that is lost has nothing reserved, and reserves nothing: its message is somebody else's.
local held = redis.call('ZSCORE', 'gw:leases', ARGV[5])
local reserved = held and reserved_for(KEYS[2], name) or 0

local short = math.min(tonumber(ARGV[4]), limit) - reserved
if short > 0 then
  local spent = tonumber(redis.call('HGET', budget, 'spent')) - reserved
  if spent > 0 and spent + reserved + short > limit then
    return {math.max(1, redis.call('PTTL', budget)), 'budget'}
  end
  if held then
    reserve(KEYS[2], name, short, now_us, length)
    reserved = reserved + short
  end
end

if reserved > 0 then
  redis.call('HINCRBY', KEYS[2], 'reserved:' .. name, -1)
  redis.call('HINCRBY', budget, 'reserved', -1)
else
  redis.call('HINCRBY', budget, 'spent', 1)
end
-- The server's window begins with the first call that it sees, not with our reservation.
if redis.call('HSETNX', budget, 'ends', string.format('%.0f', now + length)) == 1 then
  redis.call('PEXPIRE', budget, length)
end
local spent, unmade = unpack(redis.call('HMGET', budget, 'spent', 'reserved'))
return {0, window, tonumber(spent) - tonumber(unmade), redis.call('PTTL', budget)}
