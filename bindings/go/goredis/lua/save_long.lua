-- Renames a temporary key to the record's key: it replaces the record that has the expected generation, or inserts a
-- record. A long record is not passed as an argument, because Lua would copy every byte of it.
--
-- KEYS[1]  the record
-- KEYS[2]  the temporary key, which has the new record: its generation, 8 bytes, and its data
-- KEYS[3]  its subject's sorted set, if it has a subject and the set is also on this server
-- ARGV[1]  the expected generation, 8 bytes; '' if no record is expected
-- ARGV[2]  the new record's lifetime in milliseconds; '' means forever
-- ARGV[3]  the record's member in the set
--
-- Returns 'saved', 'gone' (there is no record), 'conflict' (its generation is not the expected one) or 'lost' (the
-- temporary key no longer exists).
local generation = redis.call('GETRANGE', KEYS[1], '0', '7')
if generation ~= ARGV[1] then
  redis.call('DEL', KEYS[2])
  return generation == '' and 'gone' or 'conflict'
end
if redis.call('EXISTS', KEYS[2]) == 0 then return 'lost' end
if KEYS[3] then list(KEYS[3], ARGV[3], ARGV[2]) end
redis.call('RENAME', KEYS[2], KEYS[1])
if ARGV[2] == '' then
  redis.call('PERSIST', KEYS[1])
else
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return 'saved'
