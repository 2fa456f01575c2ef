ALTER TABLE tenants DROP COLUMN machine_codes;
ALTER TABLE tenants ADD COLUMN machine_codes BOOLEAN NOT NULL DEFAULT TRUE;
DROP TABLE pending_keys;
CREATE TABLE pending_keys (
    code_digest BYTEA PRIMARY KEY NOT NULL,
    poll_digest BYTEA NOT NULL UNIQUE,
    -- NULL until somebody accepts or denies the key, unless it is known before
    tenant_id BYTEA REFERENCES tenants (id),
    device_id BYTEA REFERENCES devices (id),
    thumbprint BYTEA NOT NULL,
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
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    polled_at BIGINT
);
CREATE INDEX pending_keys_expires ON pending_keys (expires_at);
