-- Lowers what is left of a budget to what the server says is left, for calls that are to come.
--
-- KEYS[1]  the window (counter with a life), see enter_call.lua
-- ARGV[1]  budget     calls in a window
-- ARGV[2]  remaining  calls the server has left for us

local made = tonumber(redis.call('GET', KEYS[1]))
local said = tonumber(ARGV[1]) - tonumber(ARGV[2])
if made and said > made then
  redis.call('SET', KEYS[1], said, 'KEEPTTL')
end
