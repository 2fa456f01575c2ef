//! The ports of tillgate on diesel, for SQLite and PostgreSQL.
//!
//! [`Database::open`] opens either by its [`Address`], [`Database::migrate`] brings its tables up to date, and its units of work
//! show the ports of authentication and of the back office. Every port is written once, over both databases. Nothing here knows
//! a wire format, and no type of the database's library is in what it offers.
//!
//! | module | purpose |
//! | --- | --- |
//! | `database` | opens a database and runs units of work on it |
//! | `pooled` | a unit of work in a transaction of its own: PostgreSQL, and whoever only reads |
//! | `sqlite` | the one writer of SQLite and its groups: `turn` (the queue), `writer` (whose turn it is), `group` (the transaction) |
//! | `postgres` | how PostgreSQL is addressed and bounded |
//! | `pool`, `deadline` | connections, and how long they are waited for |
//! | `failure` | what a database error means |
//! | `names` | names that are not told apart, for who looks after the server |
//! | `migrate`, `backup` | tables brought up to date, and a copy of SQLite while it is used |
//! | `units` | a unit of work as each view shows it |
//! | `transaction`, `ports` | every port, on an open transaction, once for both databases |
//! | `schema`, `row`, `statement` | the tables, their rows as the domain's types, and statements that are text |

mod backup;
mod connection;
mod database;
mod deadline;
mod durability;
mod error_class;
mod migration;
mod pool;
mod pooled;
mod ports;
mod postgres;
mod row;
mod schema;
mod similar_names;
mod sqlite;
mod statement;
mod store;
mod transaction;
mod where_clause;

#[cfg(test)]
mod test_support;

pub use backup::BackupError;
pub use database::{Address, Database, DatabaseLoad, InvalidAddress, Limits, OpenError};
pub use migration::MigrateError;
pub use similar_names::{SimilarNames, SimilarNamesReport};

/// The version of SQLite that is inside, such as `3.53.2`.
pub fn sqlite_version() -> &'static str {
    libsqlite3_sys::SQLITE_VERSION.to_str().unwrap_or_default()
}
