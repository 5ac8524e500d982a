-- Tells whether the key ?1 has a record at the time ?2.
SELECT EXISTS (SELECT 1 FROM khufu_sessions WHERE key = ?1 AND (expires IS NULL OR expires > ?2))
