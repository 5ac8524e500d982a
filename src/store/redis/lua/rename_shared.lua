-- Puts a value under a new key in place of one that has a hash under the old key. The hash is the first 16 hexadecimal
-- digits of the SHA-1. Only the caller knows the new key: if a value is there and none under the old key, an earlier call
-- was carried out.
--
-- KEYS[1]  the old value
-- KEYS[2]  the new value
-- ARGV[1]  the hash of the old value
-- ARGV[2]  the new value
-- ARGV[3]  how long it is kept, in milliseconds; '' for ever
--
-- Answers 'saved', 'gone' (there is no value under either key) or 'conflict' (the old value is another one).
local there = redis.call('GET', KEYS[1])
if there then
  if string.sub(redis.sha1hex(there), 1, 16) ~= ARGV[1] then return 'conflict' end
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
