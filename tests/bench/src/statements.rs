//! The statements of a refresh with rotation, between BEGIN and COMMIT: the session with everything
//! that decides whether it is live, whether the store accepts writes, and the rotation. On SQLite
//! they are between a savepoint and its release, since a group of units of work shares one
//! transaction. They are copied from `crates/persistence`.

/// Opens the refresh's part of a group, on SQLite.
pub(crate) const OPEN_SAVEPOINT: &str = "SAVEPOINT member";

/// Closes the refresh's part of a group, on SQLite.
pub(crate) const RELEASE_SAVEPOINT: &str = "RELEASE member";

/// Whether the store accepts writes.
pub(crate) const SELECT_STATE: &str = "SELECT meta.state FROM meta WHERE meta.id = 1 LIMIT 1";

/// The number of columns of [`SELECT_SESSION`].
pub(crate) const FIND_COLUMN_COUNT: usize = 36;

/// The session and what it depends on. `$1` is its id.
pub(crate) const SELECT_SESSION: &str = "SELECT sessions.id, sessions.tenant_id, sessions.kind, sessions.user_id, sessions.device_id, \
    sessions.parent_id, sessions.dialect, sessions.terms, sessions.generation, sessions.key_id, sessions.previous_key_id, \
    sessions.used, sessions.user_epoch, sessions.device_epoch, sessions.tenant_epoch, sessions.methods, sessions.proved_at, \
    sessions.address, sessions.rotated_from, sessions.thumbprint, sessions.created_at, sessions.rotated_at, \
    sessions.last_used_at, sessions.expires_at, sessions.expires_day, sessions.ended_at, sessions.ended_why, tenants.epoch, \
    tenants.zone, users.epoch, users.status, devices.epoch, devices.status, NULL, NULL, NULL \
    FROM sessions INNER JOIN tenants ON sessions.tenant_id = tenants.id LEFT OUTER JOIN users ON sessions.user_id = users.id \
    LEFT OUTER JOIN devices ON sessions.device_id = devices.id WHERE sessions.id = $1";

/// The rotation of a session.
pub(crate) const ROTATE_SESSION: &str = "UPDATE sessions SET generation = $3, key_id = $4, previous_key_id = $5, rotated_at = $6, \
    expires_at = $7, expires_day = $8, rotated_from = $9 WHERE id = $1 AND generation = $2 AND ended_at IS NULL";
