-- Puts a record that was set under a key of its own in place of the one that has a generation, or inserts it. Lua would
-- copy every byte of a long record that is an argument.
--
-- KEYS[1]  the record
-- KEYS[2]  where the new record is: its generation, 8 bytes, and its data. It expires soon
-- KEYS[3]  its subject's sorted set, if it has a subject and this server keeps the set, too
-- ARGV[1]  the generation that must be there, 8 bytes; '' if there must be no record
-- ARGV[2]  how long it is kept, in milliseconds; '' for ever
-- ARGV[3]  the record's member in the set
--
-- Answers 'saved', 'gone' (there is no record), 'conflict' (there is one of another generation) or 'lost' (the new record
-- is not there any more).
local there = redis.call('GETRANGE', KEYS[1], '0', '7')
if there ~= ARGV[1] then
  redis.call('DEL', KEYS[2])
  return there == '' and 'gone' or 'conflict'
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
