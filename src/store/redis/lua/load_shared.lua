-- Returns a value (KEYS[1]) and its remaining lifetime in milliseconds. A negative number means that it does not
-- expire.
return {redis.call('GET', KEYS[1]), redis.call('PTTL', KEYS[1])}
