//! The paths of introspection and revocation, below the prefix of the mount.

pub(super) const INTROSPECT_PATH: &str = "/introspect";
pub(super) const REVOKE_PATH: &str = "/revoke";
