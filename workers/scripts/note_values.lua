-- Notes what becomes of values that waited to be written to a customer.
--
-- KEYS[1]  what waits        see pending.lua
-- KEYS[2]  what was written
-- ARGV[1]  keep  milliseconds that what was written is remembered, from the last write on
-- ARGV[2…] three for each value: its field, its stamp, and its digest, "" where it was not written
-- include pending

for place = 2, #ARGV, 3 do
  local field, stamp, digest = ARGV[place], ARGV[place + 1], ARGV[place + 2]
  if digest ~= '' and stamp_of(redis.call('HGET', KEYS[2], field)) <= stamp then
    redis.call('HSET', KEYS[2], field, stamp .. '\n' .. digest)
  end
  local waiting = redis.call('HGET', KEYS[1], field)
  if waiting and stamp_of(waiting) <= stamp then
    redis.call('HDEL', KEYS[1], field)
  end
end
if redis.call('PTTL', KEYS[2]) == -1 then
  redis.call('PEXPIRE', KEYS[2], ARGV[1])
end
