-- Removes a value that has a hash. The hash is the first 16 hexadecimal digits of the SHA-1.
--
-- KEYS[1]  the value
-- ARGV[1]  the hash of the value that must be there; '' for any
--
-- Answers 'saved' (it was removed), 'gone' (there is no value) or 'conflict' (there is another one).
local there = redis.call('GET', KEYS[1])
if not there then return 'gone' end
if ARGV[1] ~= '' and string.sub(redis.sha1hex(there), 1, 16) ~= ARGV[1] then return 'conflict' end
redis.call('DEL', KEYS[1])
return 'saved'
