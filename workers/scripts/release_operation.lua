-- Ends one run of an operation, if it is still this run's to end.
--
-- KEYS[1]  the operation's entry (hash), see claim_operation.lua
-- ARGV[1]  owner    this run
-- ARGV[2]  state    "ended" (final) | "failed" (until a replay) | "open" (to be claimed again)
-- ARGV[3]  outcome  JSON, "" for none
-- ARGV[4]  cause    whose tries are counted, "" for none
--
-- Returns 1, or 0 where another run owns the operation by now.

local entry = KEYS[1]
if redis.call('HGET', entry, 'owner') ~= ARGV[1] then
  return 0
end
redis.call('HSET', entry, 'state', ARGV[2], 'lease_until', '0')
if ARGV[3] ~= '' then
  redis.call('HSET', entry, 'outcome', ARGV[3])
end
if ARGV[4] ~= '' then
  redis.call('HINCRBY', entry, 'tries:' .. ARGV[4], 1)
end
return 1
