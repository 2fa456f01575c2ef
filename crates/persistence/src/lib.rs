//! The ports of tillgate on diesel, for SQLite and PostgreSQL.

mod connection;
mod failure;
mod transaction;
