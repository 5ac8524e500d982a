-- Lists the keys of the records that belong to the subject ?2 at the time ?1.
SELECT key FROM khufu_sessions WHERE (expires IS NULL OR expires > ?1) AND subject IN (?2)
