-- Pauses calls to an outside system; a longer pause that is in force stays.
--
-- KEYS[1]  the pause (string with a life)
-- ARGV[1]  milliseconds

if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[1]) then
  redis.call('SET', KEYS[1], '1', 'PX', ARGV[1])
end
