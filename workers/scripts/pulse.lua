-- Shared by scripts that notice that nobody was heard of for a while: Redis was away, or all workers.
--
-- gw:pulse  when workers were last heard of; gw:grace: nothing is restored while it lives

-- Returns when workers were heard of before, and begins a grace where nobody could have renewed.
local function beat(now, lease)
  local before = tonumber(redis.call('GETSET', 'gw:pulse', string.format('%.0f', now)))
  if before and now - before > lease / 2 then
    redis.call('SET', 'gw:grace', '1', 'PX', lease)
  end
  return before
end
