-- Replaces the record of generation ?9 at the time ?8: key, generation, expiry, subject, time of access, header, data.
UPDATE khufu_sessions
SET generation = ?2, expires = ?3, subject = ?4, accessed = ?5, header = ?6, data = ?7
WHERE key = ?1 AND generation = ?9 AND (expires IS NULL OR expires > ?8)
