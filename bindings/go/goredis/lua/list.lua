-- list(set, member, ttl): adds a member to a subject's sorted set, or extends its time. The member expires a minute
-- after `ttl` milliseconds from now ('' means never). Its score is that time, in milliseconds since 1970. A score is
-- never lowered. Each new member removes up to 16 expired members. The set expires with its last member.
--
-- This function is prepended to the scripts that use it.
local function list(set, member, ttl)
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local until_ms = ttl == '' and '+inf' or string.format('%.0f', now + ttl + 60000)
  if redis.call('ZADD', set, 'GT', until_ms, member) == 1 then
    local expired = redis.call('ZRANGEBYSCORE', set, '-inf', string.format('%.0f', now), 'LIMIT', '0', '16')
    if #expired > 0 then redis.call('ZREM', set, unpack(expired)) end
  end
  local last = redis.call('ZREVRANGE', set, '0', '0', 'WITHSCORES')[2]
  if last == 'inf' then
    redis.call('PERSIST', set)
  else
    redis.call('PEXPIREAT', set, string.format('%.0f', tonumber(last)))
  end
end

