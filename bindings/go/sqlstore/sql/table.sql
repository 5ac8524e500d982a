-- Creates the table. The columns subject and accessed repeat what a record's header says, so that records can be found
-- by them. The index by expiry lets a save find the expired rows without looking at others.
CREATE TABLE khufu_sessions (
    key TEXT NOT NULL PRIMARY KEY,
    generation INTEGER NOT NULL,
    expires INTEGER, -- milliseconds since 1970
    subject BLOB,
    accessed INTEGER NOT NULL, -- microseconds since 1970
    header BLOB NOT NULL,
    data BLOB NOT NULL
) STRICT;
CREATE INDEX khufu_sessions_by_expiry ON khufu_sessions (expires) WHERE expires IS NOT NULL;
CREATE INDEX khufu_sessions_by_subject ON khufu_sessions (subject) WHERE subject IS NOT NULL;
