-- When the access tokens of a generation were first used: an exchanged token expires some time
-- after the first use of a successor.
CREATE TABLE first_uses (
    session_id BYTEA NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    generation BIGINT NOT NULL,
    first_used_at BIGINT NOT NULL,
    PRIMARY KEY (session_id, generation)
);
