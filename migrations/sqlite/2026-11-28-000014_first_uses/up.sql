-- When the access tokens of a generation were first used: an exchanged token ends a while after the first use of one that followed it.
CREATE TABLE first_uses (
    session_id BLOB NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    generation INTEGER NOT NULL,
    first_used_at INTEGER NOT NULL,
    PRIMARY KEY (session_id, generation)
) STRICT, WITHOUT ROWID;
