-- Removes a record.
--
-- KEYS[1]  the record
-- KEYS[2]  its subject's sorted set, if it has a subject and this server keeps the set, too
-- ARGV[1]  the generation that must be there, 8 bytes; '' for any
-- ARGV[2]  the record's member in the set
--
-- Answers 'saved' (it was removed), 'gone' (there is no record) or 'conflict' (there is one of another generation).
local there = redis.call('GETRANGE', KEYS[1], '0', '7')
if there == '' then return 'gone' end
if ARGV[1] ~= '' and there ~= ARGV[1] then return 'conflict' end
redis.call('DEL', KEYS[1])
if KEYS[2] then redis.call('ZREM', KEYS[2], ARGV[2]) end
return 'saved'
