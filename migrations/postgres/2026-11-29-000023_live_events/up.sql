-- The live events: what has changed, for clients that follow it. An event has only ids; a reader
-- looks up what they name. Kept for a day.
CREATE TABLE live_events (
    -- the number of the transaction that wrote the row, as in `changes`
    position BIGINT NOT NULL DEFAULT (pg_current_xact_id()::text::bigint),
    -- the order within a transaction
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id BYTEA NOT NULL,
    kind TEXT NOT NULL,
    -- NULL if several sessions have ended at once
    subject_id BYTEA,
    written_at BIGINT NOT NULL
);
CREATE INDEX live_events_position ON live_events (position, number);
CREATE INDEX live_events_written ON live_events (written_at);
-- The greatest position that was swept: a reader from there on has missed nothing.
ALTER TABLE meta ADD COLUMN live_events_swept BIGINT NOT NULL DEFAULT 0;
