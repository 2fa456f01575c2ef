-- The keys that wait now are dropped: they wait for minutes only, and their machines start again.
-- From now on each belongs to a tenant from its start, and typed digits are counted.
DROP TABLE pending_keys;
CREATE TABLE pending_keys (
    code_digest BLOB PRIMARY KEY NOT NULL,
    poll_digest BLOB NOT NULL UNIQUE,
    tenant_id BLOB NOT NULL REFERENCES tenants (id),
    -- NULL until somebody accepts the key, unless its machine has presented the code of a device
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
    -- how often digits were typed for the key
    fingerprint_attempts INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'accepted', 'denied')),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    polled_at INTEGER
) STRICT;
CREATE INDEX pending_keys_expires ON pending_keys (expires_at);
-- A tenant accepts machines that show a code only if it chooses to. Nobody has chosen so before.
ALTER TABLE tenants DROP COLUMN machine_codes;
ALTER TABLE tenants ADD COLUMN machine_codes INTEGER NOT NULL DEFAULT 0;
