-- Charges one write to the token bucket of a record, or says how long to wait.
--
-- KEYS[1]  the record (string with a life): epoch microseconds at which its bucket is full again
-- ARGV[1]  interval  microseconds in which one write flows in
-- ARGV[2]  burst     writes that a full bucket holds
--
-- Returns 0 where the write may be made, else the milliseconds until there is room for it.

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local full = math.max(now, tonumber(redis.call('GET', KEYS[1]) or 0))
local short = full - now - (burst - 1) * interval
if short > 0 then
  return math.max(1, math.ceil(short / 1000))
end
full = full + interval
redis.call('SET', KEYS[1], string.format('%.0f', full), 'PX', math.ceil((full - now) / 1000))
return 0
