-- Requests to reset a forgotten password, until a background thread has checked whether there is a
-- user to mail.
CREATE TABLE reset_requests (
    id BLOB PRIMARY KEY NOT NULL,
    email TEXT NOT NULL,
    -- the tenant that the way in serves
    tenant_id BLOB REFERENCES tenants (id),
    address TEXT,
    asked_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    tries INTEGER NOT NULL
) STRICT;
CREATE INDEX reset_requests_due ON reset_requests (due_at, id);

-- Resets that were granted and not yet used. Only the SHA-256 of the mailed token is stored.
CREATE TABLE resets (
    digest BLOB PRIMARY KEY NOT NULL,
    request_id BLOB NOT NULL,
    user_id BLOB NOT NULL REFERENCES users (id),
    email TEXT NOT NULL,
    granted_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX resets_user ON resets (user_id);
CREATE INDEX resets_expires ON resets (expires_at);
