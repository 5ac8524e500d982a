-- Replaces the record that has the expected generation, or inserts a record.
--
-- KEYS[1]  the record
-- KEYS[2]  its subject's sorted set, if it has a subject and the set is also on this server
-- ARGV[1]  the expected generation, 8 bytes; '' if no record is expected
-- ARGV[2]  the new record: its generation, 8 bytes, and its data
-- ARGV[3]  its lifetime in milliseconds; '' means forever
-- ARGV[4]  the record's member in the set
--
-- Returns 'saved', 'gone' (there is no record) or 'conflict' (its generation is not the expected one).
local generation = redis.call('GETRANGE', KEYS[1], '0', '7')
if generation ~= ARGV[1] then return generation == '' and 'gone' or 'conflict' end
if KEYS[2] then list(KEYS[2], ARGV[4], ARGV[3]) end
if ARGV[3] == '' then
  redis.call('SET', KEYS[1], ARGV[2])
else
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
end
return 'saved'
