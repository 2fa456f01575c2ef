-- The first schema.
--
-- Ids are UUIDs of 16 bytes that the server draws itself, instants are milliseconds since the Unix epoch, JSON is text: every
-- value reads the same in SQLite and in PostgreSQL, and moves from one to the other as it is. No default and no serial means
-- anything but the order of the feed (`changes`).
--
-- `folded` columns hold a name in the form that it is compared by. Those of a deleted user are NULL, which a unique index never
-- compares: so a deleted name is free again, and every lookup by name uses the same plain index.

-- What this store is. There is one row for ever; the server gives it its id when it first opens the store.
CREATE TABLE meta (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    instance BLOB,
    state TEXT NOT NULL CHECK (state IN ('open', 'draining', 'moved'))
) STRICT;
INSERT INTO meta (id, instance, state) VALUES (1, NULL, 'open');

CREATE TABLE tenants (
    id BLOB PRIMARY KEY NOT NULL,
    slug TEXT NOT NULL,
    name TEXT NOT NULL,
    zone TEXT NOT NULL,
    locale TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX tenants_slug ON tenants (slug);

-- The stores of a tenant.
CREATE TABLE branches (
    id BLOB PRIMARY KEY NOT NULL,
    tenant_id BLOB NOT NULL REFERENCES tenants (id),
    name TEXT NOT NULL
) STRICT;
CREATE INDEX branches_tenant ON branches (tenant_id, id);

CREATE TABLE roles (
    id BLOB PRIMARY KEY NOT NULL,
    tenant_id BLOB NOT NULL REFERENCES tenants (id),
    name TEXT NOT NULL,
    folded TEXT NOT NULL,
    label TEXT NOT NULL,
    description TEXT NOT NULL,
    -- JSON arrays of names
    rights TEXT NOT NULL,
    environments TEXT NOT NULL,
    built_in INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX roles_name ON roles (tenant_id, folded);
CREATE INDEX roles_tenant ON roles (tenant_id, id);

CREATE TABLE users (
    id BLOB PRIMARY KEY NOT NULL,
    tenant_id BLOB NOT NULL REFERENCES tenants (id),
    name TEXT NOT NULL,
    folded TEXT,
    email TEXT,
    email_folded TEXT,
    display_name TEXT NOT NULL,
    status TEXT NOT NULL,
    feature TEXT,
    epoch INTEGER NOT NULL,
    -- written by the claim of a login
    last_login_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX users_name ON users (tenant_id, folded);
CREATE UNIQUE INDEX users_email ON users (email_folded);
CREATE INDEX users_tenant ON users (tenant_id, id);

CREATE TABLE devices (
    id BLOB PRIMARY KEY NOT NULL,
    tenant_id BLOB NOT NULL REFERENCES tenants (id),
    name TEXT NOT NULL,
    folded TEXT NOT NULL,
    environment TEXT NOT NULL,
    status TEXT NOT NULL,
    description TEXT NOT NULL,
    -- JSON objects
    preferences TEXT NOT NULL,
    settings TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    -- the session of the person who works on a sale device, and the permanent session that was generated for the device; no
    -- foreign keys, since a session that is over may be swept while it is still named here
    seat_id BLOB,
    pairing_id BLOB,
    -- of the key that the device is bound to (RFC 7638)
    thumbprint BLOB,
    -- when a session on it was last used
    last_seen_at INTEGER,
    -- written by the claim of a login of its own
    last_login_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX devices_name ON devices (tenant_id, folded);
CREATE INDEX devices_tenant ON devices (tenant_id, id);

-- Roles that count in sessions without a device.
CREATE TABLE user_roles (
    user_id BLOB NOT NULL REFERENCES users (id),
    role_id BLOB NOT NULL REFERENCES roles (id),
    PRIMARY KEY (user_id, role_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX user_roles_role ON user_roles (role_id, user_id);

-- The devices that a user may log in on.
CREATE TABLE user_devices (
    user_id BLOB NOT NULL REFERENCES users (id),
    device_id BLOB NOT NULL REFERENCES devices (id),
    PRIMARY KEY (user_id, device_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX user_devices_device ON user_devices (device_id, user_id);

-- The roles of a user on each of them.
CREATE TABLE user_device_roles (
    user_id BLOB NOT NULL,
    device_id BLOB NOT NULL,
    role_id BLOB NOT NULL REFERENCES roles (id),
    PRIMARY KEY (user_id, device_id, role_id),
    FOREIGN KEY (user_id, device_id) REFERENCES user_devices (user_id, device_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX user_device_roles_role ON user_device_roles (role_id, user_id);

-- The roles of a device that logs in as itself.
CREATE TABLE device_roles (
    device_id BLOB NOT NULL REFERENCES devices (id),
    role_id BLOB NOT NULL REFERENCES roles (id),
    PRIMARY KEY (device_id, role_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX device_roles_role ON device_roles (role_id, device_id);

-- What proves who somebody is. A credential counts everywhere, or on the one device that it names.
CREATE TABLE credentials (
    principal_id BLOB NOT NULL,
    principal_kind TEXT NOT NULL,
    kind TEXT NOT NULL,
    device_id BLOB REFERENCES devices (id),
    version INTEGER NOT NULL,
    verifier TEXT NOT NULL,
    -- when the secret was set, and when it last proved somebody
    set_at INTEGER NOT NULL,
    used_at INTEGER
) STRICT;
CREATE UNIQUE INDEX credentials_everywhere ON credentials (principal_id, principal_kind, kind) WHERE device_id IS NULL;
CREATE UNIQUE INDEX credentials_device ON credentials (principal_id, principal_kind, kind, device_id) WHERE device_id IS NOT NULL;

-- Keys of the server, wrapped by its master key. One of each kind is current.
CREATE TABLE keys (
    id BLOB PRIMARY KEY NOT NULL,
    kind TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    state TEXT NOT NULL,
    wrapped BLOB NOT NULL,
    public BLOB,
    created_at INTEGER NOT NULL,
    since INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX keys_current ON keys (kind) WHERE state = 'current';

-- Sessions hold no token and no hash of one: only what a token must name to be theirs. A rotation and a noted use change no
-- indexed column but, once a day at most, `expires_day`: PostgreSQL then rewrites the row alone, not its entries in the indexes.
CREATE TABLE sessions (
    id BLOB PRIMARY KEY NOT NULL,
    tenant_id BLOB NOT NULL REFERENCES tenants (id),
    kind TEXT NOT NULL,
    user_id BLOB REFERENCES users (id),
    device_id BLOB REFERENCES devices (id),
    -- a parent that is over may be swept first
    parent_id BLOB REFERENCES sessions (id) ON DELETE SET NULL,
    dialect TEXT NOT NULL,
    -- JSON: a value that is copied at login and never searched by, so a new term needs no migration
    terms TEXT NOT NULL,
    generation INTEGER NOT NULL,
    -- the keys of the newest refresh token and of the one before
    key_id BLOB NOT NULL,
    previous_key_id BLOB NOT NULL,
    used INTEGER NOT NULL,
    user_epoch INTEGER NOT NULL,
    device_epoch INTEGER NOT NULL,
    tenant_epoch INTEGER NOT NULL,
    methods TEXT NOT NULL,
    proved_at INTEGER NOT NULL,
    address TEXT,
    rotated_from TEXT,
    -- of the key that the session is bound to (RFC 9449, 6.1)
    thumbprint BLOB,
    created_at INTEGER NOT NULL,
    rotated_at INTEGER,
    last_used_at INTEGER,
    expires_at INTEGER,
    -- the day since the Unix epoch in which it expires: what the sweep looks for, by an index that a rotation seldom moves
    expires_day INTEGER,
    ended_at INTEGER,
    ended_why TEXT
) STRICT;
CREATE INDEX sessions_tenant ON sessions (tenant_id, id);
CREATE INDEX sessions_user ON sessions (user_id, id);
CREATE INDEX sessions_device ON sessions (device_id, id);
CREATE INDEX sessions_parent ON sessions (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX sessions_key ON sessions (key_id) WHERE ended_at IS NULL;
CREATE INDEX sessions_previous_key ON sessions (previous_key_id) WHERE ended_at IS NULL;
CREATE INDEX sessions_ended ON sessions (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX sessions_expires ON sessions (expires_day) WHERE expires_day IS NOT NULL;

-- Failed logins by a digest of what they are counted under.
CREATE TABLE attempts (
    key BLOB PRIMARY KEY NOT NULL,
    principal_id BLOB,
    failures INTEGER NOT NULL,
    failed_at INTEGER,
    open INTEGER NOT NULL,
    opened_at INTEGER,
    touched_at INTEGER NOT NULL
) STRICT;
CREATE INDEX attempts_principal ON attempts (principal_id) WHERE principal_id IS NOT NULL;
CREATE INDEX attempts_touched ON attempts (touched_at);

-- Where somebody has logged in before, by a digest of the place.
CREATE TABLE places (
    principal_id BLOB NOT NULL,
    place BLOB NOT NULL,
    succeeded_at INTEGER NOT NULL,
    PRIMARY KEY (principal_id, place)
) STRICT, WITHOUT ROWID;
CREATE INDEX places_succeeded ON places (succeeded_at);

-- The feed: what has ended or changed, for every process over this store.
CREATE TABLE changes (
    -- AUTOINCREMENT, else a number would be given again after the newest rows were swept
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    scope TEXT NOT NULL,
    subject_id BLOB,
    epoch INTEGER,
    written_at INTEGER NOT NULL
) STRICT;
CREATE INDEX changes_written ON changes (written_at);

-- The processes over this store, and how far each follows the feed.
CREATE TABLE nodes (
    id BLOB PRIMARY KEY NOT NULL,
    applied INTEGER NOT NULL,
    seen_at INTEGER NOT NULL
) STRICT;

-- Who did what. Lines are born unsealed: `sequence`, `previous` and `hash` chain them afterwards, in the order of their commits.
-- No foreign keys: a line outlives what it tells of.
CREATE TABLE audit (
    id BLOB PRIMARY KEY NOT NULL,
    at INTEGER NOT NULL,
    tenant_id BLOB,
    user_id BLOB,
    device_id BLOB,
    session_id BLOB,
    address TEXT,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    subject_id BLOB,
    outcome TEXT NOT NULL,
    -- a JSON object
    details TEXT NOT NULL,
    -- who approved it besides the actor, and the digest of the operation that was approved
    approver_id BLOB,
    operation BLOB,
    sequence INTEGER,
    previous BLOB,
    hash BLOB
) STRICT;
CREATE INDEX audit_tenant ON audit (tenant_id, id);
CREATE INDEX audit_at ON audit (at);
CREATE UNIQUE INDEX audit_sequence ON audit (sequence);
CREATE INDEX audit_unsealed ON audit (id) WHERE sequence IS NULL;
