-- Invitations to choose a password, at most one per user. Only the SHA-256 of the token is stored.
CREATE TABLE invitations (
    user_id BYTEA PRIMARY KEY NOT NULL REFERENCES users (id),
    digest BYTEA NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX invitations_expires ON invitations (expires_at);
