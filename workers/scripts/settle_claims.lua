-- Ends claims, or puts their messages back.
--
-- ARGV  three for each claim: "end" | "return" | "lost", its tag, and the milliseconds after which
--       it is due, "first" to come first in its queue; one that is lost has ended its process
--
-- A claim whose lease has ended in between is somebody else's, and is left alone.
-- include budget
-- include holding

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

for place = 1, #ARGV, 3 do
  local verb, tag, wait = ARGV[place], ARGV[place + 1], ARGV[place + 2]
  local message = 'gw:message:' .. tag
  if redis.call('ZREM', 'gw:leases', tag) == 1 then
    give_back(message)
    if verb ~= 'lost' or not is_calling(tag) then unlock(message, tag) end
    local queue = redis.call('HGET', message, 'queue')
    if verb == 'end' or not queue then
      redis.call('DEL', message)
    else
      local due = tonumber(string.match(tag, '^%d+'))
      if wait ~= 'first' then due = now + tonumber(wait) end
      if verb == 'lost' and redis.call('HGET', message, 'started') then
        redis.call('HINCRBY', message, 'kills', 1)
      end
      redis.call('HDEL', message, 'started')
      redis.call('HSET', message, 'due', string.format('%.0f', due))
      redis.call('ZADD', 'gw:delayed:' .. queue, string.format('%.0f', due), tag)
    end
  end
end
