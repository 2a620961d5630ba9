-- Claims the next message that may run, or says how long until one could.
--
-- KEYS         five for each queue: its lists by priority, most urgent first, and its delayed set
-- ARGV[1]      worker   who asks
-- ARGV[2]      lease    milliseconds that a claim is held without being renewed
-- ARGV[3]      idle     "idle" where the worker holds no message
-- ARGV[4]      pause    milliseconds to the next question, times the workers that have nothing to do
-- ARGV[5]      longest  milliseconds to the next question at most
-- ARGV[6]      window   milliseconds of a budget's window
-- ARGV[7]      classes  how many of live, normal and batch are asked for
-- ARGV[8..10]  the number of the last queue of each class
-- ARGV[11..]   the terms of each queue as JSON: queue, tenant, interval (microseconds between two
--              messages, 0 for no rate), burst, budgets as [tenant:system, usual calls, limit, share
--              of the limit that is left to others]
--
-- gw:message:<tag>     hash of a held or delayed message: raw (its bytes, never encoded again),
--                      queue, id, expires, due, runs, charged, started, kills, worker; see
--                      budget.lua for reserved:… and window:…, holding.lua for lock:…
-- gw:leases            sorted set: tag of each held message → the end of its lease (milliseconds)
-- gw:delayed:<queue>   sorted set: tag of each message that comes back → when it is due
-- gw:rates             hash: queue:<name> → rate set for it, tenant:<name> → its pause, as JSON
-- gw:rate:<queue>      the queue's cell (GCRA): theoretical arrival of its next message
-- gw:turns             hash: when each tenant of a class, and each queue, was served last
-- gw:heads             hash: since when a queue has had something that may not run yet
-- gw:granted:<moment>  hash: messages claimed of each queue in ten seconds
-- gw:revoked           sorted set of message ids
-- gw:pulse             when workers were last heard of; gw:grace: nothing is restored while it lives
--
-- Returns {"", milliseconds} | {tag, queue, raw, verdict, runs, microseconds}; the verdict is "" for
-- a message to be run, or "unreadable", "expired", "revoked", "alone" (nothing is to run beside it)
-- or "poison" (it has ended the worker each time).
-- include budget
-- include holding
-- include pulse

local WORKER, LEASE, IDLE = ARGV[1], tonumber(ARGV[2]), ARGV[3] == 'idle'
local WINDOW, CLASSES = tonumber(ARGV[6]), tonumber(ARGV[7])
local FIRST_CLASS, TERMS, KEYS_EACH = 7, 10, 5
local LARGEST, MOVES, KILLS = 1048576, 100, 3

local time = redis.call('TIME')
local now_us = time[1] * 1000000 + time[2]
local now = math.floor(now_us / 1000)
local wait = tonumber(ARGV[5])
local moves, blocked = 0, 0

local function not_before(milliseconds)
  wait = math.max(1, math.min(wait, math.ceil(milliseconds)))
end

local function number(value)
  return string.format('%.0f', value)
end

-- Returns epoch milliseconds of an ISO 8601 moment, which is UTC unless it says otherwise.
local function moment(text)
  if type(text) ~= 'string' then return nil end
  local year, month, day, hour, minute, second, rest =
    string.match(text, '^(%d%d%d%d)-(%d%d)-(%d%d)[T ](%d%d):(%d%d):(%d%d)(.*)$')
  if not year then return nil end
  if month < '01' or month > '12' or day < '01' or day > '31' or hour > '23' or minute > '59' then
    return nil
  end
  local fraction, zone = string.match(rest, '^%.(%d+)(.*)$')
  local sign, hours, minutes = string.match(zone or rest, '^([+-])(%d%d):?(%d%d)')
  local y, m = tonumber(year), tonumber(month)
  if m <= 2 then y, m = y - 1, m + 12 end
  local days = 365 * y + math.floor(y / 4) - math.floor(y / 100) + math.floor(y / 400)
    + math.floor((153 * (m - 3) + 2) / 5) + tonumber(day) - 719469
  local seconds = days * 86400 + hour * 3600 + minute * 60 + second
  if sign then
    seconds = seconds - tonumber(sign .. '1') * (hours * 3600 + minutes * 60)
  end
  return math.floor((seconds + tonumber('0.' .. (fraction or '0'))) * 1000)
end

-- Messages whose lease has ended come back first in their queue. While nobody could renew, because
-- Redis was away, no lease counts as ended.
local function restore()
  local pulse = beat(now, LEASE)
  if pulse and math.floor(pulse / 100) == math.floor(now / 100) then return end
  if redis.call('EXISTS', 'gw:grace') == 1 then return end
  local ended = redis.call('ZRANGEBYSCORE', 'gw:leases', '-inf', now, 'LIMIT', 0, MOVES)
  for _, tag in ipairs(ended) do
    local message = 'gw:message:' .. tag
    local queue, started = unpack(redis.call('HMGET', message, 'queue', 'started'))
    redis.call('ZREM', 'gw:leases', tag)
    if queue then
      if started then redis.call('HINCRBY', message, 'kills', 1) end
      redis.call('HDEL', message, 'started')
      give_back(message)
      if not is_calling(tag) then unlock(message, tag) end
      redis.call('ZADD', 'gw:delayed:' .. queue, string.match(tag, '^%d+'), tag)
    end
  end
  moves = #ended
end

-- Returns why a message is not to run any more, or nil.
local function over(head)
  if head.id and redis.call('ZSCORE', 'gw:revoked', head.id) then return 'revoked' end
  if head.expires and head.expires <= now then return 'expired' end
end

-- Returns what stands at the head of a queue without taking it, or nil.
local function delayed_head(keys)
  local due = redis.call('ZRANGEBYSCORE', keys[5], '-inf', now, 'LIMIT', 0, 10)
  for _, tag in ipairs(due) do
    local queue, id, expires, charged, kills = unpack(redis.call('HMGET', 'gw:message:' .. tag,
      'queue', 'id', 'expires', 'charged', 'kills'))
    local head = {tag = tag, id = id, expires = tonumber(expires), charged = charged}
    kills = tonumber(kills or 0)
    if not queue then
      redis.call('ZREM', keys[5], tag)
    elseif kills < KILLS or over(head) then
      return head
    elseif kills > KILLS then
      head.verdict = 'poison'
      return head
    elseif redis.call('SET', 'gw:warden', WORKER, 'NX', 'PX', LEASE)
      or redis.call('GET', 'gw:warden') == WORKER then
      if not IDLE then return {verdict = 'drain'} end
      head.verdict = 'alone'
      return head
    end
  end
  local next_due = redis.call('ZRANGEBYSCORE', keys[5], '(' .. number(now), '+inf',
    'WITHSCORES', 'LIMIT', 0, 1)
  if next_due[2] then not_before(next_due[2] - now) end
end

local function list_head(keys)
  for priority = 1, 4 do
    local raw = redis.call('LINDEX', keys[priority], -1)
    if raw then
      local head = {raw = raw, list = keys[priority]}
      local readable, message = false, nil
      if #raw <= LARGEST then readable, message = pcall(cjson.decode, raw) end
      if not readable or type(message) ~= 'table' or type(message.headers) ~= 'table' then
        head.verdict = 'unreadable'
        return head
      end
      local headers = message.headers
      head.id = type(headers.id) == 'string' and headers.id or nil
      head.due, head.expires = moment(headers.eta), moment(headers.expires)
      return head
    end
  end
end

-- Returns a tag that is never issued again, even if Redis loses its counter.
local function new_tag()
  return number(redis.call('INCR', 'gw:tags')) .. '-' .. number(now_us)
end

-- Gives a message from a list a hash of its own, and takes it off the list.
local function keep(head, queue)
  local tag = new_tag()
  redis.call('HSET', 'gw:message:' .. tag, 'raw', head.raw, 'queue', queue)
  if head.id then redis.call('HSET', 'gw:message:' .. tag, 'id', head.id) end
  if head.expires then
    redis.call('HSET', 'gw:message:' .. tag, 'expires', number(head.expires))
  end
  redis.call('RPOP', head.list)
  return tag
end

-- Returns the next message of a queue, after putting those aside that are not due.
local function next_head(keys, queue)
  local head = delayed_head(keys)
  while not head do
    head = list_head(keys)
    if not head then return nil end
    if head.due and head.due > now and not head.verdict then
      if moves >= MOVES then
        not_before(1)
        return nil
      end
      moves = moves + 1
      local tag = keep(head, queue)
      redis.call('HSET', 'gw:message:' .. tag, 'due', number(head.due))
      redis.call('ZADD', keys[5], number(head.due), tag)
      not_before(head.due - now)
      head = nil
    end
  end
  if not head.verdict then head.verdict = over(head) end
  return head
end

-- Returns whether the outside systems that a queue's messages call have room for one more.
local function affordable(terms)
  for _, each in ipairs(terms.budgets) do
    local name, calls, limit, left_to_others = unpack(each)
    local pause = redis.call('PTTL', 'gw:pause:' .. name)
    if pause > 0 then
      not_before(pause)
      return false
    end
    local spent, ends = unpack(redis.call('HMGET', budget_of(name), 'spent', 'ends'))
    spent, ends = tonumber(spent) or 0, tonumber(ends) or now + WINDOW
    -- What is left to others melts towards the window's end, so that nothing of it is wasted.
    local melted = limit * left_to_others * math.max(0, ends - now) / WINDOW
    if spent > 0 and spent + calls > limit - melted then
      not_before(ends - now)
      return false
    end
  end
  return true
end

-- Returns whether a queue's rate allows a message now, and the cell's next value.
local function on_time(terms, override)
  local interval, burst = terms.interval, terms.burst
  if override then
    local set = cjson.decode(override)
    interval, burst = set.interval, set.burst
  end
  if interval == 0 then return true end
  local cell = 'gw:rate:' .. terms.queue
  local arrival = math.max(now_us, tonumber(redis.call('GET', cell)) or 0)
  if arrival > now_us + burst * interval then
    -- It counts the intervals of a slower rate, which is not in force any more.
    arrival = now_us + burst * interval
    redis.call('SET', cell, number(arrival), 'PX', math.ceil(burst * interval / 1000 + 1000))
  end
  local early = arrival - now_us - (burst - 1) * interval
  if early > 0 then
    not_before(early / 1000)
    return false
  end
  return true, function()
    local life = (arrival + interval - now_us) / 1000 + 1000
    redis.call('SET', cell, number(arrival + interval), 'PX', math.ceil(life))
  end
end

local function take(head, terms, class)
  local tag, old = nil, head.tag
  if old then
    redis.call('ZREM', 'gw:delayed:' .. terms.queue, old)
    tag = new_tag()
    redis.call('RENAME', 'gw:message:' .. old, 'gw:message:' .. tag)
    redis.call('HDEL', 'gw:message:' .. tag, 'started', 'due')
  else
    tag = keep(head, terms.queue)
  end
  local message, verdict = 'gw:message:' .. tag, head.verdict or ''
  redis.call('HSET', message, 'worker', WORKER, 'charged', '1')
  local runs = redis.call('HINCRBY', message, 'runs', 1)
  redis.call('ZADD', 'gw:leases', number(now + LEASE), tag)
  local turn = string.match(tag, '^%d+')
  redis.call('HSET', 'gw:turns', class .. '/' .. terms.tenant, turn, terms.queue, turn)
  redis.call('HDEL', 'gw:heads', terms.queue)
  return {tag, terms.queue, head.raw or redis.call('HGET', message, 'raw'), verdict, runs,
    number(now_us)}
end

local function count_grant(queue)
  local granted = 'gw:granted:' .. number(math.floor(now / 10000))
  if redis.call('HINCRBY', granted, queue, 1) == 1 then
    redis.call('PEXPIRE', granted, 90000)
  end
end

-- Returns a claim of the queue's next message; false, and why, where it may not run.
local function try(keys, terms, class)
  local head = next_head(keys, terms.queue)
  if not head then return nil end
  if head.verdict == 'drain' then return {'', 5} end
  if head.verdict and head.verdict ~= 'alone' then return take(head, terms, class) end

  local override, paused = unpack(redis.call('HMGET', 'gw:rates',
    'queue:' .. terms.queue, 'tenant:' .. terms.tenant))
  local charge = nil
  local admitted = not paused and affordable(terms)
  if admitted and not head.charged then admitted, charge = on_time(terms, override) end
  if not admitted then
    blocked = blocked + 1
    redis.call('HSETNX', 'gw:heads', terms.queue, number(now))
    return nil
  end

  if charge then charge() end
  local claim = take(head, terms, class)
  for _, each in ipairs(terms.budgets) do
    reserve('gw:message:' .. claim[1], each[1], each[2], now_us, WINDOW)
  end
  if not head.charged then count_grant(terms.queue) end
  return claim
end

local function any(first, last)
  for from = first, last, 4000 do
    if redis.call('EXISTS', unpack(KEYS, from, math.min(last, from + 3999))) > 0 then return true end
  end
  return false
end

-- Returns the queues of a class that hold something, those first that were served longest ago.
local function candidates(class, first, last)
  local found, fields = {}, {}
  for place = first, last do
    local from = (place - 1) * KEYS_EACH + 1
    if any(from, from + KEYS_EACH - 1) then
      local terms = cjson.decode(ARGV[TERMS + place])
      table.insert(found, {keys = {unpack(KEYS, from, from + KEYS_EACH - 1)}, terms = terms})
      table.insert(fields, class .. '/' .. terms.tenant)
      table.insert(fields, terms.queue)
    end
  end
  if #found < 2 then return found end
  local turns = redis.call('HMGET', 'gw:turns', unpack(fields))
  for place, each in ipairs(found) do
    each.tenant, each.queue = tonumber(turns[2 * place - 1]) or 0, tonumber(turns[2 * place]) or 0
  end
  table.sort(found, function(a, b)
    if a.tenant ~= b.tenant then return a.tenant < b.tenant end
    return a.queue < b.queue
  end)
  return found
end

restore()
local first = 1
for class = 1, CLASSES do
  local last = tonumber(ARGV[FIRST_CLASS + class])
  if last >= first and any((first - 1) * KEYS_EACH + 1, last * KEYS_EACH) then
    for _, each in ipairs(candidates(class, first, last)) do
      local claim = try(each.keys, each.terms, class)
      if claim then return claim end
    end
  end
  first = last + 1
end

redis.call('ZADD', 'gw:idle', now, WORKER)
redis.call('ZREMRANGEBYSCORE', 'gw:idle', '-inf', now - 1000)
not_before(tonumber(ARGV[4]) * redis.call('ZCARD', 'gw:idle'))
-- Every queue that may not run has cost some 25 microseconds: Redis has to keep time for others.
wait = math.max(wait, math.min(blocked / 5, tonumber(ARGV[5])))
return {'', wait}
