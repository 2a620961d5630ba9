-- Shared by scripts that change what waits to be written to a customer.
--
-- gw:pending:<tenant>:<customer>  hash, by field: "<stamp>\n<sealed value>", the newest that waits
-- gw:written:<tenant>:<customer>  hash, by field: "<stamp>\n<digest>" of what was written last; an
--   empty digest is that of a value in doubt
-- gw:window:<tenant>:<customer>   string with a life: while it exists, changes are gathered; "held"
--   where nothing could be written until its end
--
-- Stamps sort as texts; see `tasks.pending.Stamp`.

local function stamp_of(value)
  return value and string.match(value, '^[^\n]*') or ''
end
