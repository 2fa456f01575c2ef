-- When the access tokens of a generation were first used: an exchanged token expires some time
-- after the first use of a successor.
CREATE TABLE first_uses (
    session_id BLOB NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    generation INTEGER NOT NULL,
    first_used_at INTEGER NOT NULL,
    PRIMARY KEY (session_id, generation)
) STRICT, WITHOUT ROWID;
