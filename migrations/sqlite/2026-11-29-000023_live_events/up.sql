-- The live events: what has changed, for clients that follow it. An event has only ids; a reader
-- looks up what they name. Kept for a day.
CREATE TABLE live_events (
    -- AUTOINCREMENT: otherwise a number would be reused after the newest rows were swept
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant_id BLOB NOT NULL,
    kind TEXT NOT NULL,
    -- NULL if several sessions have ended at once
    subject_id BLOB,
    written_at INTEGER NOT NULL
) STRICT;
CREATE INDEX live_events_written ON live_events (written_at);
-- The greatest position that was swept: a reader from there on has missed nothing.
ALTER TABLE meta ADD COLUMN live_events_swept INTEGER NOT NULL DEFAULT 0;
