-- Invitations to choose a password, at most one per user. Only the SHA-256 of the token is stored.
CREATE TABLE invitations (
    user_id BLOB PRIMARY KEY NOT NULL REFERENCES users (id),
    digest BLOB NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX invitations_expires ON invitations (expires_at);
