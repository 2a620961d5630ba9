-- Admits a message at its queue's rate (GCRA), once in its life.
--
-- KEYS[1]  the queue's cell: the theoretical arrival time of the next message, in microseconds
-- KEYS[2]  the message's ticket: the moment from which it may run, in microseconds
-- ARGV[1]  interval  microseconds between two messages
-- ARGV[2]  burst     how many may start at once
-- ARGV[3]  keep      milliseconds for which a ticket outlives its moment
--
-- A message that comes too early gets the next free moment as its ticket, so that waiting messages
-- keep their order and none of them is charged twice.
-- Returns the microseconds it has to wait, 0 when it is admitted.

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval = tonumber(ARGV[1])

local ticket = tonumber(redis.call('GET', KEYS[2]))
if ticket then
  return math.max(0, ticket - now)
end

local arrival = math.max(now, tonumber(redis.call('GET', KEYS[1])) or 0)
local moment = math.max(now, arrival - (tonumber(ARGV[2]) - 1) * interval)
local ahead = math.ceil((moment - now) / 1000)
redis.call('SET', KEYS[1], string.format('%.0f', arrival + interval),
  'PX', ahead + math.ceil(interval * tonumber(ARGV[2]) / 1000) + 1000)
redis.call('SET', KEYS[2], string.format('%.0f', moment), 'PX', ahead + tonumber(ARGV[3]))
return moment - now
