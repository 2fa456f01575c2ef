-- Keys with which programs sign their requests. A signed request runs as this user on this device.
CREATE TABLE api_keys (
    id BYTEA PRIMARY KEY NOT NULL,
    tenant_id BYTEA NOT NULL REFERENCES tenants (id),
    -- what the program calls its key by
    client_id TEXT NOT NULL,
    -- the secret, wrapped by the server's master key: checking a signature takes the secret itself
    wrapped BYTEA NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    active BOOLEAN NOT NULL,
    user_id BYTEA NOT NULL REFERENCES users (id),
    device_id BYTEA NOT NULL REFERENCES devices (id),
    -- a JSON array of names; an empty one narrows nothing
    permissions TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    version BIGINT NOT NULL
);
CREATE UNIQUE INDEX api_keys_client ON api_keys (client_id);
CREATE INDEX api_keys_tenant ON api_keys (tenant_id, id);

-- Signatures that were verified, kept as long as a signature of that time is accepted: none is
-- accepted twice.
CREATE TABLE seen_signatures (
    digest BYTEA PRIMARY KEY NOT NULL,
    seen_at BIGINT NOT NULL
);
CREATE INDEX seen_signatures_seen ON seen_signatures (seen_at);
