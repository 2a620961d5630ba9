-- Keeps a resource for an operation, from attempt to attempt, until the operation has ended.
--
-- KEYS[1]  gw:reserved:<tenant>:<resource>  string: the id of the operation that keeps it
-- KEYS[2]  the entry of the operation that asks, see claim_operation.lua
-- ARGV[1]  owner    of that operation: this run
-- ARGV[2]  id       of that operation
-- ARGV[3]  entries  what the keys of the tenant's entries begin with
-- ARGV[4]  life     milliseconds after which it is free, whatever became of the operation
--
-- An operation that has ended, failed, or is forgotten, keeps nothing.
-- Returns "reserved", "kept" by another operation, or "lost" where another run owns this one.

if redis.call('HGET', KEYS[2], 'owner') ~= ARGV[1] then
  return 'lost'
end
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[2] then
  local state = redis.call('HGET', ARGV[3] .. holder, 'state')
  if state == 'claimed' or state == 'open' then
    return 'kept'
  end
end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[4])
return 'reserved'
