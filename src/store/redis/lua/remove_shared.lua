-- Removes a value. A hash below is the first 16 hexadecimal digits of the value's SHA-1.
--
-- KEYS[1]  the value
-- ARGV[1]  the hash of the expected value; '' means any value
--
-- Returns 'saved' (the value was removed), 'gone' (there is no value) or 'conflict' (the value is not the expected
-- one).
local value = redis.call('GET', KEYS[1])
if not value then return 'gone' end
if ARGV[1] ~= '' and string.sub(redis.sha1hex(value), 1, 16) ~= ARGV[1] then return 'conflict' end
redis.call('DEL', KEYS[1])
return 'saved'
