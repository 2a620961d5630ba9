-- Forgets the values that fields of a customer were given last: a write is about to begin.
--
-- KEYS[1]  what was written  see pending.lua
-- ARGV[1]  keep  milliseconds that what was written is remembered
-- ARGV[2…] the fields
-- include pending

for place = 2, #ARGV do
  local known = redis.call('HGET', KEYS[1], ARGV[place])
  if known then
    redis.call('HSET', KEYS[1], ARGV[place], stamp_of(known) .. '\n')
  end
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
