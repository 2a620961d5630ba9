-- Puts a message on its queue together with its ledger entry, unless its operation is known.
--
-- KEYS[1]  the operation's entry, see claim_operation.lua
-- KEYS[2]  the queue's list
-- ARGV[1]  fingerprint  of task and arguments
-- ARGV[2]  keep         milliseconds after which the entry is forgotten
-- ARGV[3]  message_id
-- ARGV[4]  raw          the message
--
-- Returns "" for a message that was put, "mismatch" where the operation has other arguments, or the
-- state that the operation is in.

local fingerprint, state = unpack(redis.call('HMGET', KEYS[1], 'fingerprint', 'state'))
if state then
  if fingerprint ~= ARGV[1] then return 'mismatch' end
  return state
end
redis.call('HSET', KEYS[1], 'fingerprint', ARGV[1], 'state', 'open', 'message_id', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('LPUSH', KEYS[2], ARGV[4])
return ''
