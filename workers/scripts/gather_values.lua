-- Lets values wait to be written to a customer, each unless a newer one of its field does or was.
--
-- KEYS[1]  what waits            see pending.lua
-- KEYS[2]  what was written
-- KEYS[3]  the customer's window
-- ARGV[1]  stamp   of all the values
-- ARGV[2]  window  milliseconds, 0 for none
-- ARGV[3]  keep    milliseconds that values wait at most
-- ARGV[4…] field, sealed value, field, …
--
-- Returns the milliseconds until the window ends, 0 where none of the fields waits.
-- include pending

local stamp, waits = ARGV[1], false
for place = 4, #ARGV, 2 do
  local field = ARGV[place]
  local waiting = redis.call('HGET', KEYS[1], field)
  if stamp_of(waiting) <= stamp and stamp_of(redis.call('HGET', KEYS[2], field)) < stamp then
    waiting = stamp .. '\n' .. ARGV[place + 1]
    redis.call('HSET', KEYS[1], field, waiting)
    redis.call('PEXPIRE', KEYS[1], ARGV[3])
  end
  waits = waits or waiting
end

if not waits or ARGV[2] == '0' then
  return 0
end
redis.call('SET', KEYS[3], '', 'PX', ARGV[2], 'NX')
return math.max(1, redis.call('PTTL', KEYS[3]))
