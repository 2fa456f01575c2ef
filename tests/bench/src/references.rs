//! The references: the same work, done by code that does nothing else.

pub(crate) mod argon2id;
pub(crate) mod handler;
pub(crate) mod pgbench;
pub(crate) mod sqlite;
