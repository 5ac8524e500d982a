-- Removes a record if it belongs to a subject. The subject's name is 32 bytes behind the generation (8 bytes) and the
-- first two bytes of the data; a record without a subject has zeros there, which is no name.
--
-- KEYS[1]  the record
-- KEYS[2…] the sorted sets of the names below, if this server keeps them, too
-- ARGV[1]  the record's member in the sets
-- ARGV[2…] the subject's names, 32 bytes each
--
-- Answers which of the names the record had, from 1 on; 0 if there is no record, -1 if it has another name or none.
local name = redis.call('GETRANGE', KEYS[1], '10', '41')
if name == string.rep('\0', 32) then return -1 end
if name == '' and redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
for i = 2, #ARGV do
  if name == ARGV[i] then
    redis.call('DEL', KEYS[1])
    if KEYS[i] then redis.call('ZREM', KEYS[i], ARGV[1]) end
    return i - 1
  end
end
return -1
