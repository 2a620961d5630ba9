-- Takes a lock on a resource, unless its holder lives.
--
-- KEYS[1]  the lock (string with a life): its holder
-- ARGV[1]  holder  the tag of a claimed message, which holds it for as long as it is under its lease;
--                  or "~" and any name, which holds it for the lock's life
-- ARGV[2]  life    milliseconds after which the lock is forgotten
--
-- Returns 1, or 0 where another one holds it.

local holder = redis.call('GET', KEYS[1])
if holder then
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local lease = tonumber(redis.call('ZSCORE', 'gw:leases', holder) or 0)
  if string.sub(holder, 1, 1) == '~' or lease > now then
    return 0
  end
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
