-- The public keys of devices. A key that is no longer current stays, so that it is never enrolled
-- again.
CREATE TABLE device_keys (
    tenant_id BYTEA NOT NULL REFERENCES tenants (id),
    -- RFC 7638
    thumbprint BYTEA NOT NULL,
    device_id BYTEA NOT NULL REFERENCES devices (id),
    jwk TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    storage TEXT NOT NULL CHECK (storage IN ('hardware', 'software')),
    state TEXT NOT NULL CHECK (state IN ('current', 'retired', 'revoked')),
    -- what the program said of the machine and of itself
    label TEXT NOT NULL,
    app TEXT NOT NULL,
    -- NULL if the enrollment was started on the server's own machine
    enrolled_by BYTEA,
    enrolled_at BIGINT NOT NULL,
    ended_at BIGINT,
    PRIMARY KEY (tenant_id, thumbprint)
);
CREATE INDEX device_keys_device ON device_keys (device_id, enrolled_at, thumbprint);
CREATE UNIQUE INDEX device_keys_current ON device_keys (device_id) WHERE state = 'current';
-- The newest enrollment of each device. Only an HMAC of the code is stored.
CREATE TABLE enrollments (
    device_id BYTEA PRIMARY KEY NOT NULL REFERENCES devices (id),
    tenant_id BYTEA NOT NULL REFERENCES tenants (id),
    digest BYTEA NOT NULL UNIQUE,
    replaces_key BOOLEAN NOT NULL,
    -- NULL if it was started on the server's own machine
    started_by BYTEA,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    -- when, with which key and for which session the code was used; all NULL before
    completed_at BIGINT,
    thumbprint BYTEA,
    session_id BYTEA
);
CREATE INDEX enrollments_expires ON enrollments (expires_at);
-- The built-in role `manager` gets the right to enroll devices, as in new tenants. The list of
-- rights is in the order of their names.
UPDATE roles SET rights = replace(rights, '"auditRead",', '"auditRead","deviceEnroll",'), version = version + 1
    WHERE built_in = TRUE AND name = 'manager' AND rights LIKE '%"auditRead",%' AND rights NOT LIKE '%"deviceEnroll"%';
