-- Lowers what is left of a budget to what the server says is left, and lets its window end when the
-- server's does.
--
-- KEYS[1]  the budget, see budget.lua
-- ARGV[1]  window     the one in which the call was made that the server answered
-- ARGV[2]  limit      calls in a window
-- ARGV[3]  remaining  calls the server has left for us
-- ARGV[4]  resets     milliseconds to the end of the server's window, 0 where it does not say

local window, spent, reserved = unpack(redis.call('HMGET', KEYS[1], 'window', 'spent', 'reserved'))
if window == ARGV[1] then
  local made = tonumber(spent) - tonumber(reserved)
  local said = tonumber(ARGV[2]) - tonumber(ARGV[3])
  if said > made then
    redis.call('HINCRBY', KEYS[1], 'spent', said - made)
  end
  local resets = tonumber(ARGV[4])
  if resets > 0 then
    local time = redis.call('TIME')
    local ends = math.floor(time[1] * 1000 + time[2] / 1000) + resets
    redis.call('HSET', KEYS[1], 'ends', string.format('%.0f', ends))
    redis.call('PEXPIRE', KEYS[1], resets)
  end
end
