ALTER TABLE tenants DROP COLUMN machine_codes;
ALTER TABLE tenants ADD COLUMN machine_codes INTEGER NOT NULL DEFAULT 1;
DROP TABLE pending_keys;
CREATE TABLE pending_keys (
    code_digest BLOB PRIMARY KEY NOT NULL,
    poll_digest BLOB NOT NULL UNIQUE,
    -- NULL until somebody accepts or denies the key, unless it is known before
    tenant_id BLOB REFERENCES tenants (id),
    device_id BLOB REFERENCES devices (id),
    thumbprint BLOB NOT NULL,
    jwk TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    storage TEXT NOT NULL CHECK (storage IN ('hardware', 'software')),
    -- what the program said of the machine and of itself
    label TEXT NOT NULL,
    app TEXT NOT NULL,
    address TEXT,
    -- the digits that the machine shows
    fingerprint TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'accepted', 'denied')),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    polled_at INTEGER
) STRICT;
CREATE INDEX pending_keys_expires ON pending_keys (expires_at);
