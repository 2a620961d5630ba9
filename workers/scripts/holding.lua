-- Shared by scripts that take or free locks on resources.
--
-- gw:lock:<tenant>:<resource>  string: its holder, the tag of a claimed message, which holds it for
--   as long as that is under its lease; or "~" and any name, which holds it for the lock's own life
-- gw:message:<tag>  lists in its fields lock:<name of the lock> those it was claimed with

-- Returns whether a call of a message may still change something, though its worker has died.
local function is_calling(tag)
  return redis.call('EXISTS', 'gw:calling:' .. tag) == 1
end

local function is_held(lock, now)
  local holder = redis.call('GET', lock)
  if not holder then return false end
  if string.sub(holder, 1, 1) == '~' then return true end
  local lease = tonumber(redis.call('ZSCORE', 'gw:leases', holder) or 0)
  return lease > now or is_calling(holder)
    or lease > 0 and redis.call('EXISTS', 'gw:grace') == 1
end

-- Frees the locks that a message was claimed with.
local function unlock(message, tag)
  for _, field in ipairs(redis.call('HKEYS', message)) do
    local lock = string.match(field, '^lock:(.+)$')
    if lock then
      if redis.call('GET', lock) == tag then redis.call('DEL', lock) end
      redis.call('HDEL', message, field)
    end
  end
end
