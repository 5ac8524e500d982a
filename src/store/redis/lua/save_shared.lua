-- Puts a value in place of one that has a hash, or inserts it. The hash is the first 16 hexadecimal digits of the SHA-1.
--
-- KEYS[1]  the value
-- ARGV[1]  the hash of the value that must be there; '' if there must be none
-- ARGV[2]  the new value
-- ARGV[3]  how long it is kept, in milliseconds; '' for ever
--
-- Answers 'saved', 'gone' (there is no value) or 'conflict' (there is another one).
local there = redis.call('GET', KEYS[1])
local hash = there and string.sub(redis.sha1hex(there), 1, 16) or ''
if hash ~= ARGV[1] then return there and 'conflict' or 'gone' end
if ARGV[3] == '' then
  redis.call('SET', KEYS[1], ARGV[2])
else
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
end
return 'saved'
