-- Removes a record if it belongs to one of the given subjects. The name of a record's subject is the 32 bytes after the
-- generation (8 bytes) and the first two bytes of the data. A record without a subject has zeros instead.
--
-- KEYS[1]  the record
-- KEYS[2…] the sorted sets of the names below, if they are also on this server
-- ARGV[1]  the record's member in the sets
-- ARGV[2…] the names of the subjects, 32 bytes each
--
-- Returns the index (from 1) of the name that the record had; 0 if there is no record; -1 if the record has no name or
-- one that is not given.
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
