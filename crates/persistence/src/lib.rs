//! The storage ports of tillgate on SQLite and PostgreSQL, implemented with diesel.
//!
//! [`Database::open`] opens either database by its [`Address`], and [`Database::migrate`] brings
//! its tables up to date. A `Database` is a store for the ports of authentication and of the back
//! office. Every port is implemented once, for both databases. No type of a database library is
//! part of this crate's API, and the crate knows no wire format.
//!
//! | module | purpose |
//! | --- | --- |
//! | `database` | opens a database and runs units of work on it |
//! | `pooled` | runs a unit of work in a transaction of its own: all on PostgreSQL, those that only read on SQLite |
//! | `sqlite` | SQLite's single writer, which commits units of work in groups: `writer` (whose turn it is), `waiter` (a queued writer), `group` (the open transaction) |
//! | `postgres` | connection parameters, time-outs and transactions of PostgreSQL |
//! | `pool`, `deadline` | connections, and how long a unit of work waits for one |
//! | `error_class` | what a database error means for the unit of work |
//! | `similar_names` | reports names that are equal or look alike |
//! | `migration`, `backup`, `durability` | migrations, a backup of SQLite while it is in use, and settings of PostgreSQL that endanger committed data |
//! | `store` | a database as a store for each set of ports |
//! | `transaction`, `ports` | an open transaction, and every port on it |
//! | `schema`, `row`, `statement`, `where_clause` | the tables, their rows as domain types, and SQL statements as text |

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
pub use database::{Address, Database, DatabaseLoad, InvalidAddress, Limits, OpenError, UnitReport};
pub use migration::MigrateError;
pub use similar_names::{SimilarNames, SimilarNamesReport};

/// The version of the bundled SQLite library, such as `3.53.2`.
pub fn sqlite_version() -> &'static str {
    libsqlite3_sys::SQLITE_VERSION.to_str().unwrap_or_default()
}
