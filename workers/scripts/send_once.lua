-- Puts a message about an occurrence on its queue, together with its ledger entry, unless the
-- occurrence or the operation is known.
--
-- KEYS[1]  what has occurred to the subject (hash): by value, the latest moment at which it
--          occurred; "current", the value that occurred last; "?", until when that may have
--          occurred which an event could not tell, as long as it is not known what it was
-- KEYS[2]  the queue's list
-- KEYS[3]  the operation's entry, see claim_operation.lua
-- KEYS[4]  the entry of the operation that a return to an old value is; may be left out
-- ARGV[1]  value        what occurred, "" where the event cannot tell
-- ARGV[2]  at           when it occurred
-- ARGV[3]  life         milliseconds without occurrences after which the subject is forgotten
-- ARGV[4]  keep         milliseconds after which the entry is forgotten
-- ARGV[5]  fingerprint  of task and arguments
-- ARGV[6]  message_id
-- ARGV[7]  raw          the message
-- ARGV[8]  message_id   of a return, as ARGV[9] only together with KEYS[4]
-- ARGV[9]  raw          the message of a return
--
-- Moments are in epoch milliseconds. An operation that the ledger knows is not asked for again,
-- whatever became of it and whatever its arguments are.
--
-- Returns "new" for a message that was put, "duplicate", or "again" for a return whose message was
-- left out: then nothing is changed, and the caller asks once more, with it.

-- Values of one subject that are known at most: the ledger knows older ones' operations.
local LIMIT = 128

local value, at = ARGV[1], tonumber(ARGV[2])
local seen, current, unknown = unpack(redis.call('HMGET', KEYS[1], value, 'current', '?'))
local latest = current and tonumber(redis.call('HGET', KEYS[1], current))

local function is_known(entry)
  return redis.call('HGET', entry, 'state')
end

-- Redis takes back nothing of a script that fails halfway: what fails where the queue is no list,
-- or where memory is full, is done first.
local function put(entry, message_id, raw)
  if is_known(entry) then
    return 'duplicate'
  end
  redis.call('LPUSH', KEYS[2], raw)
  redis.call('HSET', entry, 'fingerprint', ARGV[5], 'state', 'open', 'message_id', message_id)
  redis.call('PEXPIRE', entry, ARGV[4])
  return 'new'
end

-- Forgets the older half of the values where there are too many; never the one that is current.
local function forget(now_current)
  if redis.call('HLEN', KEYS[1]) <= LIMIT then
    return
  end
  local held, values = redis.call('HGETALL', KEYS[1]), {}
  for place = 1, #held, 2 do
    local name = held[place]
    if name ~= 'current' and name ~= '?' and name ~= now_current then
      table.insert(values, {name = name, at = tonumber(held[place + 1])})
    end
  end
  table.sort(values, function(one, other) return one.at < other.at end)
  for place = 1, math.floor(#values / 2) do
    redis.call('HDEL', KEYS[1], values[place].name)
  end
end

local function remember()
  local now_current = (not current or at >= latest) and value or current
  redis.call('HSET', KEYS[1], value, ARGV[2], 'current', now_current)
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
  if not seen then
    forget(now_current)
  end
end

-- An event that cannot tell what occurred is about what is known, if anything is.
if value == '' then
  if current or unknown then
    return 'duplicate'
  end
  local answer = put(KEYS[3], ARGV[6], ARGV[7])
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  redis.call('HSET', KEYS[1], '?', string.format('%.0f', math.max(now, at)))
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
  return answer
end

if value == current then
  if at > latest then
    remember()
  end
  return 'duplicate'
end

-- The unknown one was this, unless this occurred after the message about it was put.
if unknown and not seen and at <= tonumber(unknown) then
  remember()
  redis.call('HDEL', KEYS[1], '?')
  return 'duplicate'
end

-- What was known before and occurs after the current value is a return to it.
local returns = current and at > latest and (seen or is_known(KEYS[3]))
if seen and not returns then
  return 'duplicate'
end
if returns and not KEYS[4] then
  return 'again'
end
local answer
if returns then
  answer = put(KEYS[4], ARGV[8], ARGV[9])
else
  answer = put(KEYS[3], ARGV[6], ARGV[7])
end
remember()
return answer
