-- Loads the record of the key ?1, unless it has expired at the time ?2.
SELECT generation, header, data FROM khufu_sessions WHERE key = ?1 AND (expires IS NULL OR expires > ?2)
