-- Carries out commands as one step, if a run still owns its operation and the audit record is where
-- the caller believes it to be.
--
-- KEYS[1]  the operation's entry, see claim_operation.lua; any key where ARGV[1] is ""
-- KEYS[2]  the head of the tenant's audit record: number and hash of the last one
-- KEYS[3]  the tenant's audit record (stream): record (JSON that begins with its number), hash
-- ARGV[1]  owner  of the operation, "" where there is none; it owns it no more afterwards
-- ARGV[2]  head   as the caller knows it, "" before the first record
-- ARGV[3]  hash   of the record that the commands append
-- ARGV[4…] the commands, each after the number of its parts
--
-- Returns {"done", head, doubt} | {"lost"} | {"head", head, doubt}: the head before these commands,
-- and "" or how the stored head and the last record disagree. The later one of the two counts then,
-- so that no number is given twice.

-- Records that are searched for the caller's own, whose answer it may have lost.
local SEARCHED = 100

-- What has to be stored under a key that a command writes to, where that is not all the same.
local TYPES = {
  HSET = 'hash', HDEL = 'hash', HINCRBY = 'hash', LPUSH = 'list', ZADD = 'zset', ZREM = 'zset', XADD = 'stream'
}

-- The most parts of a command that Lua can hand on.
local MOST_PARTS = 1000

local function number_of(head)
  return tonumber(string.match(head, '^%d+')) or 0
end

-- Returns the head that the last record makes, "" where there is none.
local function end_of_stream()
  local last = redis.call('XREVRANGE', KEYS[3], '+', '-', 'COUNT', 1)[1]
  if not last then
    return ''
  end
  local fields = {}
  for place = 1, #last[2], 2 do
    fields[last[2][place]] = last[2][place + 1]
  end
  local number = string.match(fields.record or '', '^{"number":(%d+)') or '0'
  return number .. ' ' .. (fields.hash or '')
end

-- Returns whether the caller has sent all of this before. One that knows no head yet has not.
local function is_appended(head)
  local behind = math.min(number_of(head) - number_of(ARGV[2]), SEARCHED)
  if ARGV[2] == '' or behind < 1 then
    return false
  end
  for _, entry in ipairs(redis.call('XREVRANGE', KEYS[3], '+', '-', 'COUNT', behind)) do
    if entry[2][4] == ARGV[3] then
      return true
    end
  end
  return false
end

-- Redis takes back nothing of a script that fails halfway: what could is looked at first.
local function obstacle()
  local place = 4
  while place <= #ARGV do
    local parts = tonumber(ARGV[place])
    local expected = TYPES[ARGV[place + 1]]
    local found = expected and redis.call('TYPE', ARGV[place + 2]).ok or 'none'
    if found ~= 'none' and found ~= expected then
      return 'WRONGTYPE a key of the commands holds a ' .. found
    end
    if parts > MOST_PARTS then
      return 'ERR a command has more than ' .. MOST_PARTS .. ' parts'
    end
    place = place + parts + 1
  end
end

local stored = redis.call('GET', KEYS[2]) or ''
local last = end_of_stream()
local head, doubt = string.match(stored, '^%d+ %x+$') or '', ''
if stored ~= last then
  doubt = 'the head said ' .. number_of(head) .. ', the last record was ' .. number_of(last)
  if number_of(last) > number_of(head) then
    head = last
  end
end

if head ~= ARGV[2] and is_appended(head) then
  return {'done', ARGV[2], ''}
end
if ARGV[1] ~= '' and redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] then
  return {'lost'}
end
if head ~= ARGV[2] then
  return {'head', head, doubt}
end
local reason = obstacle()
if reason then
  return redis.error_reply(reason)
end

local place = 4
while place <= #ARGV do
  local parts = tonumber(ARGV[place])
  redis.call(unpack(ARGV, place + 1, place + parts))
  place = place + parts + 1
end
if ARGV[1] ~= '' then
  redis.call('HDEL', KEYS[1], 'owner')
end
return {'done', head, doubt}
