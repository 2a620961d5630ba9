-- Gives back calls that were charged to a budget and not made.
--
-- KEYS[1]  the window (counter with a life), see enter_call.lua
-- ARGV[1]  calls

local charged = tonumber(redis.call('GET', KEYS[1]))
if charged then
  redis.call('SET', KEYS[1], math.max(0, charged - tonumber(ARGV[1])), 'KEEPTTL')
end
