-- Removes a few of the rows whose records have expired at the time ?1.
DELETE FROM khufu_sessions
WHERE rowid IN (SELECT rowid FROM khufu_sessions WHERE expires <= ?1 ORDER BY expires LIMIT 8)
