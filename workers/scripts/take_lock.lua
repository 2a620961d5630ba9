-- Takes a lock on a resource, unless its holder lives.
--
-- KEYS[1]  the lock, see holding.lua
-- ARGV[1]  holder
-- ARGV[2]  life    milliseconds after which the lock is forgotten
--
-- Returns 1, or 0 where another one holds it.
-- include holding

local time = redis.call('TIME')
if is_held(KEYS[1], time[1] * 1000 + math.floor(time[2] / 1000)) then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
