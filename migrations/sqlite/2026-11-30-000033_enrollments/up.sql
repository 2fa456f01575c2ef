-- The public keys of devices. A key that is no longer current stays, so that it is never enrolled
-- again.
CREATE TABLE device_keys (
    tenant_id BLOB NOT NULL REFERENCES tenants (id),
    -- RFC 7638
    thumbprint BLOB NOT NULL,
    device_id BLOB NOT NULL REFERENCES devices (id),
    jwk TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    storage TEXT NOT NULL CHECK (storage IN ('hardware', 'software')),
    state TEXT NOT NULL CHECK (state IN ('current', 'retired', 'revoked')),
    -- what the program said of the machine and of itself
    label TEXT NOT NULL,
    app TEXT NOT NULL,
    -- NULL if the enrollment was started on the server's own machine
    enrolled_by BLOB,
    enrolled_at INTEGER NOT NULL,
    ended_at INTEGER,
    PRIMARY KEY (tenant_id, thumbprint)
) STRICT;
CREATE INDEX device_keys_device ON device_keys (device_id, enrolled_at, thumbprint);
CREATE UNIQUE INDEX device_keys_current ON device_keys (device_id) WHERE state = 'current';
-- The newest enrollment of each device. Only an HMAC of the code is stored.
CREATE TABLE enrollments (
    device_id BLOB PRIMARY KEY NOT NULL REFERENCES devices (id),
    tenant_id BLOB NOT NULL REFERENCES tenants (id),
    digest BLOB NOT NULL UNIQUE,
    replaces_key INTEGER NOT NULL,
    -- NULL if it was started on the server's own machine
    started_by BLOB,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    -- when, with which key and for which session the code was used; all NULL before
    completed_at INTEGER,
    thumbprint BLOB,
    session_id BLOB
) STRICT;
CREATE INDEX enrollments_expires ON enrollments (expires_at);
-- The built-in role `manager` gets the right to enroll devices, as in new tenants. The list of
-- rights is in the order of their names.
UPDATE roles SET rights = replace(rights, '"auditRead",', '"auditRead","deviceEnroll",'), version = version + 1
    WHERE built_in = 1 AND name = 'manager' AND rights LIKE '%"auditRead",%' AND rights NOT LIKE '%"deviceEnroll"%';
