-- Keeps what the steps of an operation came to, if the run still owns it.
--
-- KEYS[1]  the operation's entry, see claim_operation.lua
-- ARGV[1]  owner  this run
-- ARGV[2]  steps  all of them: JSON, name to result
--
-- Returns 1, or 0 where another run owns the operation by now.

if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] then
  return 0
end
redis.call('HSET', KEYS[1], 'steps', ARGV[2])
return 1
