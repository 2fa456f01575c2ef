-- Requests to reset a forgotten password, until a background thread has checked whether there is a
-- user to mail.
CREATE TABLE reset_requests (
    id BYTEA PRIMARY KEY NOT NULL,
    email TEXT NOT NULL,
    -- the tenant that the way in serves
    tenant_id BYTEA REFERENCES tenants (id),
    address TEXT,
    asked_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    tries BIGINT NOT NULL
);
CREATE INDEX reset_requests_due ON reset_requests (due_at, id);

-- Resets that were granted and not yet used. Only the SHA-256 of the mailed token is stored.
CREATE TABLE resets (
    digest BYTEA PRIMARY KEY NOT NULL,
    request_id BYTEA NOT NULL,
    user_id BYTEA NOT NULL REFERENCES users (id),
    email TEXT NOT NULL,
    granted_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX resets_user ON resets (user_id);
CREATE INDEX resets_expires ON resets (expires_at);
