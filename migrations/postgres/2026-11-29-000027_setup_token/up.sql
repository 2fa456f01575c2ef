-- The one-time token with which the first administrator is set up in the browser: its SHA-256, in
-- at most one row. There is none once a user was set up with it.
CREATE TABLE setup_token (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    digest BYTEA NOT NULL,
    drawn_at BIGINT NOT NULL
);
