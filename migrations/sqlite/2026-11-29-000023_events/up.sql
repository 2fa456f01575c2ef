-- The live events: what has changed, for clients that follow it. An event has only ids; a reader
-- looks up what they name. Kept for a day.
CREATE TABLE events (
    -- AUTOINCREMENT, else a number would be given again after the newest rows were swept
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant_id BLOB NOT NULL,
    kind TEXT NOT NULL,
    -- NULL if several sessions have ended at once
    subject_id BLOB,
    written_at INTEGER NOT NULL
) STRICT;
CREATE INDEX events_written ON events (written_at);
-- The greatest position that was swept: a reader from there on has missed nothing.
ALTER TABLE meta ADD COLUMN events_swept INTEGER NOT NULL DEFAULT 0;
