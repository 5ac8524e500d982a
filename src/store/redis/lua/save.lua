-- Puts a record in place of the one that has a generation, or inserts it.
--
-- KEYS[1]  the record
-- KEYS[2]  its subject's sorted set, if it has a subject and this server keeps the set, too
-- ARGV[1]  the generation that must be there, 8 bytes; '' if there must be no record
-- ARGV[2]  the new record: its generation, 8 bytes, and its data
-- ARGV[3]  how long it is kept, in milliseconds; '' for ever
-- ARGV[4]  the record's member in the set
--
-- Answers 'saved', 'gone' (there is no record) or 'conflict' (there is one of another generation).
local there = redis.call('GETRANGE', KEYS[1], '0', '7')
if there ~= ARGV[1] then return there == '' and 'gone' or 'conflict' end
if KEYS[2] then list(KEYS[2], ARGV[4], ARGV[3]) end
if ARGV[3] == '' then
  redis.call('SET', KEYS[1], ARGV[2])
else
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
end
return 'saved'
