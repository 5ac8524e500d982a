-- Removes the record of the key ?1 and of generation ?3, or of any generation if that is 0, at the time ?2.
DELETE FROM khufu_sessions
WHERE key = ?1 AND (expires IS NULL OR expires > ?2) AND (?3 = 0 OR generation = ?3)
