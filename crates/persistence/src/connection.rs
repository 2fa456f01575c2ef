//! One connection type for both databases, so that every port is written once.

use diesel::{PgConnection, SqliteConnection};

#[derive(diesel::MultiConnection)]
pub(crate) enum AnyConnection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}
