-- Claims an operation for one run, or says why not.
--
-- KEYS[1]  the operation's entry (hash): fingerprint, state, owner, tag, lease_until, attempts,
--          first_at, message_id, outcome, intent, intent_until, steps, tries:<cause>;
--          state is "claimed", "open", "failed" or, finally, "ended"
-- KEYS[2]  the hash of the message that is carried out, see claim_message.lua
-- KEYS[3…] the locks of the resources that it needs, see holding.lua; only with a tag
-- ARGV[1]  owner        this run
-- ARGV[2]  fingerprint  of task and arguments
-- ARGV[3]  lease        milliseconds that a run holds the operation whose message is under no lease
-- ARGV[4]  keep         milliseconds after which the entry is forgotten
-- ARGV[5]  message_id   the Celery message that asks for it
-- ARGV[6]  tag          of the message's claim, "" where it is under no lease
-- ARGV[7]  life         milliseconds after which the locks are forgotten
--
-- A run holds the operation for as long as its message is under its lease.
-- A change that a run has begun without learning what came of it is waited for.
-- Returns {"granted", field, value, …} | {"ended", outcome} | {"busy", milliseconds}
--   | {"settling", milliseconds} | {"locked", number of the key} | {"mismatch"}
-- include holding

local entry = KEYS[1]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- A claim that was lost before its run began: the message is somebody else's.
if ARGV[6] ~= '' and not redis.call('ZSCORE', 'gw:leases', ARGV[6]) then
  return {'busy', 1}
end

-- From here on, an end of the worker counts against the message.
if redis.call('EXISTS', KEYS[2]) == 1 then
  redis.call('HSET', KEYS[2], 'started', '1')
end

local known = redis.call('HMGET', entry,
  'fingerprint', 'state', 'owner', 'lease_until', 'outcome', 'message_id', 'tag', 'intent_until')
local fingerprint, state, owner, lease_until, outcome, message_id, tag, intent_until = unpack(known)

if fingerprint and fingerprint ~= ARGV[2] then
  return {'mismatch'}
end
if state == 'ended' or (state == 'failed' and message_id == ARGV[5]) then
  return {'ended', outcome}
end
if state == 'claimed' and owner ~= ARGV[1] then
  if tag and tag ~= '' then
    lease_until = redis.call('ZSCORE', 'gw:leases', tag) or 0
  end
  if tonumber(lease_until) > now
    or (tonumber(lease_until) > 0 and redis.call('EXISTS', 'gw:grace') == 1) then
    return {'busy', math.max(1, tonumber(lease_until) - now)}
  end
end

if tonumber(intent_until or 0) > now then
  return {'settling', tonumber(intent_until) - now}
end

for place = 3, #KEYS do
  if is_held(KEYS[place], now) then
    return {'locked', place}
  end
end
for place = 3, #KEYS do
  redis.call('SET', KEYS[place], ARGV[6], 'PX', ARGV[7])
  redis.call('HSET', KEYS[2], 'lock:' .. KEYS[place], '1')
end

if state == 'failed' then
  -- Another message that asks for it begins anew: with all tries, and its own first moment.
  for _, name in ipairs(redis.call('HKEYS', entry)) do
    if name == 'first_at' or string.sub(name, 1, 6) == 'tries:' then
      redis.call('HDEL', entry, name)
    end
  end
end
redis.call('HSET', entry, 'fingerprint', ARGV[2], 'state', 'claimed', 'owner', ARGV[1],
  'message_id', ARGV[5], 'tag', ARGV[6],
  'lease_until', string.format('%.0f', now + tonumber(ARGV[3])))
redis.call('HSETNX', entry, 'first_at', string.format('%.0f', now))
redis.call('HINCRBY', entry, 'attempts', 1)
redis.call('PEXPIRE', entry, ARGV[4])

local granted = redis.call('HGETALL', entry)
table.insert(granted, 'now')
table.insert(granted, string.format('%.0f', now))
table.insert(granted, 1, 'granted')
return granted
