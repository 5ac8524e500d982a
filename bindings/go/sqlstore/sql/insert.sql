-- Inserts a record at the time ?8: key, generation, expiry, subject, time of access, header, data. Replaces only a
-- record that has expired.
INSERT INTO khufu_sessions (key, generation, expires, subject, accessed, header, data)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO UPDATE
SET generation = excluded.generation, expires = excluded.expires, subject = excluded.subject,
    accessed = excluded.accessed, header = excluded.header, data = excluded.data
WHERE expires <= ?8
