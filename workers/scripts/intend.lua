-- Writes down that a run is about to change something outside, if it still owns its operation.
--
-- KEYS[1]  the operation's entry, see claim_operation.lua
-- ARGV[1]  owner   this run
-- ARGV[2]  within  milliseconds after which the change has happened, or never will
-- ARGV[3]  route   what is about to be called
--
-- gw:calling:<tag>  lives until then, and with it the locks that the message holds, see holding.lua
--
-- Returns 1, or 0 where another run owns the operation by now.

if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] then
  return 0
end
local time = redis.call('TIME')
local until_ms = time[1] * 1000 + math.floor(time[2] / 1000) + tonumber(ARGV[2])
redis.call('HSET', KEYS[1], 'intent', ARGV[3], 'intent_until', string.format('%.0f', until_ms))
local tag = redis.call('HGET', KEYS[1], 'tag')
if tag and tag ~= '' then
  redis.call('SET', 'gw:calling:' .. tag, '1', 'PX', ARGV[2])
end
return 1
