-- Releases a lock that is still held by its holder.
--
-- KEYS[1]  the lock
-- ARGV[1]  holder

if redis.call('GET', KEYS[1]) == ARGV[1] then
  redis.call('DEL', KEYS[1])
end
