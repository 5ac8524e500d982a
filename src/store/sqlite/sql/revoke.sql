-- Removes the record of the key ?1 at the time ?2 if it belongs to the subject ?3.
DELETE FROM khufu_sessions WHERE key = ?1 AND (expires IS NULL OR expires > ?2) AND subject IN (?3)
