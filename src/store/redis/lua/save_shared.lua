-- Replaces the expected value, or inserts a value. A hash below is the first 16 hexadecimal digits of a value's SHA-1.
--
-- KEYS[1]  the value
-- ARGV[1]  the hash of the expected value; '' if no value is expected
-- ARGV[2]  the new value
-- ARGV[3]  its lifetime in milliseconds; '' means forever
--
-- Returns 'saved', 'gone' (there is no value) or 'conflict' (the value is not the expected one).
local value = redis.call('GET', KEYS[1])
local hash = value and string.sub(redis.sha1hex(value), 1, 16) or ''
if hash ~= ARGV[1] then return value and 'conflict' or 'gone' end
if ARGV[3] == '' then
  redis.call('SET', KEYS[1], ARGV[2])
else
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
end
return 'saved'
