-- Lists a key as its subject's. For Redis Cluster, where the record is on another node.
--
-- KEYS[1]  the subject's sorted set
-- ARGV[1]  the member
-- ARGV[2]  for how long, in milliseconds; '' for ever
list(KEYS[1], ARGV[1], ARGV[2])
return 1
