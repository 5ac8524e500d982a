-- Adds a key to its subject's sorted set. Used in Redis Cluster, where the record may be on another node.
--
-- KEYS[1]  the subject's sorted set
-- ARGV[1]  the member: the record's key
-- ARGV[2]  the record's lifetime in milliseconds; '' means forever
list(KEYS[1], ARGV[1], ARGV[2])
return 1
