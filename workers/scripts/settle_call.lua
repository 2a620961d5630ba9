-- Lowers what is left of a budget to what the server says is left.
--
-- KEYS[1]  the budget, see budget.lua
-- ARGV[1]  window     the one in which the call was made that the server answered
-- ARGV[2]  limit      calls in a window
-- ARGV[3]  remaining  calls the server has left for us

local window, spent, reserved = unpack(redis.call('HMGET', KEYS[1], 'window', 'spent', 'reserved'))
if window == ARGV[1] then
  local made = tonumber(spent) - tonumber(reserved)
  local said = tonumber(ARGV[2]) - tonumber(ARGV[3])
  if said > made then
    redis.call('HINCRBY', KEYS[1], 'spent', said - made)
  end
end
