-- Removes the value of an old key and sets the value of a new key. A hash below is the first 16 hexadecimal digits of a
-- value's SHA-1. Only the caller knows the new key, so if only the new key has a value, an earlier call of this script
-- succeeded.
--
-- KEYS[1]  the old value
-- KEYS[2]  the new value
-- ARGV[1]  the hash of the expected old value
-- ARGV[2]  the new value
-- ARGV[3]  its lifetime in milliseconds; '' means forever
--
-- Returns 'saved', 'gone' (neither key has a value) or 'conflict' (the old value is not the expected one).
local value = redis.call('GET', KEYS[1])
if value then
  if string.sub(redis.sha1hex(value), 1, 16) ~= ARGV[1] then return 'conflict' end
elseif redis.call('EXISTS', KEYS[2]) == 0 then
  return 'gone'
end
if ARGV[3] == '' then
  redis.call('SET', KEYS[2], ARGV[2])
else
  redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
end
redis.call('DEL', KEYS[1])
return 'saved'
