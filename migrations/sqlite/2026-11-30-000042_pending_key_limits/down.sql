-- The choices of the tenants stay.
ALTER TABLE tenants RENAME COLUMN machine_codes TO chosen_machine_codes;
ALTER TABLE tenants ADD COLUMN machine_codes INTEGER NOT NULL DEFAULT 1;
UPDATE tenants SET machine_codes = chosen_machine_codes;
ALTER TABLE tenants DROP COLUMN chosen_machine_codes;
CREATE TABLE pending_keys_before (
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
INSERT INTO pending_keys_before
SELECT code_digest, poll_digest, tenant_id, device_id, thumbprint, jwk, algorithm, storage, label, app, address,
    fingerprint, state, created_at, expires_at, polled_at
FROM pending_keys;
DROP TABLE pending_keys;
ALTER TABLE pending_keys_before RENAME TO pending_keys;
CREATE INDEX pending_keys_expires ON pending_keys (expires_at);
