//! What tillgate is measured against: the same work done bare, by code that does nothing else.

pub(crate) mod argon2id;
pub(crate) mod handler;
pub(crate) mod pgbench;
pub(crate) mod sqlite;
