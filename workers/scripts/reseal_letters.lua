-- Puts payloads that were sealed anew in the place of those that they were read from.
--
-- KEYS[1]   the dead letters' payloads
-- ARGV[1…]  three for each letter: its name, its payload as it was read, and as it is sealed now
--
-- Returns the names of those whose payload is another one, or gone, by now: they stay as they are.

local changed = {}
for place = 1, #ARGV, 3 do
  local name, read, sealed = ARGV[place], ARGV[place + 1], ARGV[place + 2]
  if redis.call('HGET', KEYS[1], name) == read then
    redis.call('HSET', KEYS[1], name, sealed)
  else
    changed[#changed + 1] = name
  end
end
return changed
