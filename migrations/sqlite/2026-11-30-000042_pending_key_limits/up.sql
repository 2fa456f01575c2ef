-- Each key belongs to a tenant from its start from now on, and typed digits are counted. Keys whose
-- machines have presented the code of a device, or were accepted, belong to the tenant of the
-- device. Others without a tenant are dropped: they wait for minutes only, and their machines start
-- again.
CREATE TABLE pending_keys_of_tenants (
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
INSERT INTO pending_keys_of_tenants
SELECT code_digest, poll_digest, COALESCE(pending_keys.tenant_id, devices.tenant_id), device_id, thumbprint, jwk,
    algorithm, storage, label, app, address, fingerprint, 0, state, pending_keys.created_at, expires_at, polled_at
FROM pending_keys LEFT JOIN devices ON devices.id = device_id
WHERE COALESCE(pending_keys.tenant_id, devices.tenant_id) IS NOT NULL;
DROP TABLE pending_keys;
ALTER TABLE pending_keys_of_tenants RENAME TO pending_keys;
CREATE INDEX pending_keys_expires ON pending_keys (expires_at, tenant_id);
-- A tenant accepts machines that show a code only if it chooses to. Nobody has chosen so before.
ALTER TABLE tenants DROP COLUMN machine_codes;
ALTER TABLE tenants ADD COLUMN machine_codes INTEGER NOT NULL DEFAULT 0;
