-- Pauses calls to an outside system; a longer pause that is in force stays.
--
-- KEYS[1]  the pause (string with a life)
-- KEYS[2]  the system's budget, see budget.lua
-- ARGV[1]  milliseconds
-- ARGV[2]  "server" where the server has said for how long: its window begins anew by then, and ours
--          with it

if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[1]) then
  redis.call('SET', KEYS[1], '1', 'PX', ARGV[1])
end
if ARGV[2] == 'server' then
  redis.call('DEL', KEYS[2])
end
