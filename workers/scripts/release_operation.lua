-- Lets an operation be claimed again, if it is still this run's to give up.
--
-- KEYS[1]  the operation's entry (hash), see claim_operation.lua
-- ARGV[1]  owner    this run
-- ARGV[2]  cause    whose tries are counted, "" for none
-- ARGV[3]  touched  "" where nothing was changed outside, so that no intent is left
--
-- Returns 1, or 0 where another run owns the operation by now.

local entry = KEYS[1]
if redis.call('HGET', entry, 'owner') ~= ARGV[1] then
  return 0
end
redis.call('HSET', entry, 'state', 'open', 'lease_until', '0')
redis.call('HDEL', entry, 'intent_until', 'tag')
if ARGV[3] == '' then
  redis.call('HDEL', entry, 'intent')
end
if ARGV[2] ~= '' then
  redis.call('HINCRBY', entry, 'tries:' .. ARGV[2], 1)
end
return 1
