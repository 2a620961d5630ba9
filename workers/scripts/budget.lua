-- Shared by scripts that charge an outside system's budget; see `Store.run` for how it is included.
--
-- gw:budget:<tenant>:<system>  hash that lives as long as the window it counts:
--   window    names this window, so that nothing of an older one is mixed into it
--   spent     calls made in it or reserved for it
--   reserved  the part of `spent` that is not made yet
--   ends      epoch milliseconds, from the window's first call on
-- gw:message:<tag>  hash of a message that a worker holds: what is reserved for it stands in
--   reserved:<tenant>:<system> and window:<tenant>:<system>

local function budget_of(name)
  return 'gw:budget:' .. name
end

-- Returns the name of the current window, beginning one where there is none.
local function current_window(name, now, length)
  local window = redis.call('HGET', budget_of(name), 'window')
  if not window then
    window = string.format('%.0f', now)
    redis.call('HSET', budget_of(name), 'window', window, 'spent', 0, 'reserved', 0)
    redis.call('PEXPIRE', budget_of(name), length)
  end
  return window
end

-- Returns the calls reserved for a message in the current window; of an older one none are left.
local function reserved_for(message, name)
  local calls, window = unpack(redis.call('HMGET', message, 'reserved:' .. name, 'window:' .. name))
  if not calls or window ~= redis.call('HGET', budget_of(name), 'window') then
    redis.call('HDEL', message, 'reserved:' .. name)
    return 0
  end
  return tonumber(calls)
end

local function reserve(message, name, calls, now, length)
  local window = current_window(name, now, length)
  reserved_for(message, name)
  redis.call('HINCRBY', budget_of(name), 'spent', calls)
  redis.call('HINCRBY', budget_of(name), 'reserved', calls)
  redis.call('HINCRBY', message, 'reserved:' .. name, calls)
  redis.call('HSET', message, 'window:' .. name, window)
end

-- Gives back what was reserved for a message and not used.
local function give_back(message)
  for _, field in ipairs(redis.call('HKEYS', message)) do
    local name = string.match(field, '^reserved:(.+)$')
    if name then
      local unused = reserved_for(message, name)
      if unused > 0 then
        redis.call('HINCRBY', budget_of(name), 'spent', -unused)
        redis.call('HINCRBY', budget_of(name), 'reserved', -unused)
      end
      redis.call('HDEL', message, field)
    end
  end
end
