-- Removes a record.
--
-- KEYS[1]  the record
-- KEYS[2]  its subject's sorted set, if it has a subject and the set is also on this server
-- ARGV[1]  the expected generation, 8 bytes; '' means any
-- ARGV[2]  the record's member in the set
--
-- Returns 'saved' (the record was removed), 'gone' (there is no record) or 'conflict' (its generation is not the
-- expected one).
local generation = redis.call('GETRANGE', KEYS[1], '0', '7')
if generation == '' then return 'gone' end
if ARGV[1] ~= '' and generation ~= ARGV[1] then return 'conflict' end
redis.call('DEL', KEYS[1])
if KEYS[2] then redis.call('ZREM', KEYS[2], ARGV[2]) end
return 'saved'
