-- Gives a value (KEYS[1]) and for how many more milliseconds it is kept; a negative number: for ever.
return {redis.call('GET', KEYS[1]), redis.call('PTTL', KEYS[1])}
