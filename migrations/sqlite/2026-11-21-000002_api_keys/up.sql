-- Keys with which programs sign their requests. A signed request runs as this user on this device.
CREATE TABLE api_keys (
    id BLOB PRIMARY KEY NOT NULL,
    tenant_id BLOB NOT NULL REFERENCES tenants (id),
    -- what the program calls its key by
    client_id TEXT NOT NULL,
    -- the secret, wrapped by the server's master key: checking a signature takes the secret itself
    wrapped BLOB NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    active INTEGER NOT NULL,
    user_id BLOB NOT NULL REFERENCES users (id),
    device_id BLOB NOT NULL REFERENCES devices (id),
    -- a JSON array of names; an empty one narrows nothing
    permissions TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX api_keys_client ON api_keys (client_id);
CREATE INDEX api_keys_tenant ON api_keys (tenant_id, id);

-- Signatures that were verified, kept as long as a signature of that time is accepted: none is
-- accepted twice.
CREATE TABLE seen_signatures (
    digest BLOB PRIMARY KEY NOT NULL,
    seen_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX seen_signatures_seen ON seen_signatures (seen_at);
