-- Renews the leases of the messages that a worker holds, and says that the worker lives.
--
-- ARGV[1]   worker
-- ARGV[2]   lease   milliseconds
-- ARGV[3]   about   JSON: what `status` shows of the worker
-- ARGV[4…]  the tags of its claims
--
-- gw:workers  hash: what is known of each worker; gw:alive: sorted set: when it was last heard of
--
-- Returns the tags whose lease had ended before.
-- include pulse

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local ends = string.format('%.0f', now + tonumber(ARGV[2]))

beat(now, tonumber(ARGV[2]))
redis.call('HSET', 'gw:workers', ARGV[1], ARGV[3])
redis.call('ZADD', 'gw:alive', now, ARGV[1])
local gone = {}
for place = 4, #ARGV do
  if redis.call('ZSCORE', 'gw:leases', ARGV[place]) then
    redis.call('ZADD', 'gw:leases', ends, ARGV[place])
  else
    table.insert(gone, ARGV[place])
  end
end
return gone
