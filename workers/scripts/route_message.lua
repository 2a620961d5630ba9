-- Puts a held message into the list of another queue, as its producer could have.
--
-- KEYS[1]  the list
-- ARGV[1]  the tag of its claim

local message = 'gw:message:' .. ARGV[1]
if redis.call('ZREM', 'gw:leases', ARGV[1]) == 1 then
  redis.call('LPUSH', KEYS[1], redis.call('HGET', message, 'raw'))
  redis.call('DEL', message)
end
