-- Carries out commands as one step, if a run still owns its operation and the audit record is where
-- the caller believes it to be.
--
-- KEYS[1]  the operation's entry, see claim_operation.lua; any key where ARGV[1] is ""
-- KEYS[2]  the head of the tenant's audit record: number and hash of the last one
-- ARGV[1]  owner  of the operation, "" where there is none
-- ARGV[2]  head   as the caller knows it, "" before the first record
-- ARGV[3…] the commands, each after the number of its parts
--
-- Returns {"done"} | {"lost"} | {"head", the head}

if ARGV[1] ~= '' and redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] then
  return {'lost'}
end
local head = redis.call('GET', KEYS[2]) or ''
if head ~= ARGV[2] then
  return {'head', head}
end
local place = 3
while place <= #ARGV do
  local parts = tonumber(ARGV[place])
  redis.call(unpack(ARGV, place + 1, place + parts))
  place = place + parts + 1
end
return {'done'}
