-- list(set, member, ttl): keeps a member in a subject's sorted set for `ttl` milliseconds from now on, and a minute more
-- ('': for ever). The score is when that ends, in milliseconds since 1970; no score is ever lowered. Up to 16 members
-- whose time is over are removed for each new one. The set expires with its last member.
--
-- This function stands in front of the scripts that use it.
local function list(set, member, ttl)
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local until_ms = ttl == '' and '+inf' or string.format('%.0f', now + ttl + 60000)
  if redis.call('ZADD', set, 'GT', until_ms, member) == 1 then
    local over = redis.call('ZRANGEBYSCORE', set, '-inf', string.format('%.0f', now), 'LIMIT', '0', '16')
    if #over > 0 then redis.call('ZREM', set, unpack(over)) end
  end
  local last = redis.call('ZREVRANGE', set, '0', '0', 'WITHSCORES')[2]
  if last == 'inf' then
    redis.call('PERSIST', set)
  else
    redis.call('PEXPIREAT', set, string.format('%.0f', tonumber(last)))
  end
end

