//! Direct access to a database with its own library, for what no port offers.

use std::path::{Path, PathBuf};

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection};

/// A connection with the database's own library.
#[derive(Clone)]
pub(crate) enum RawConnection {
    Sqlite(PathBuf),
    Postgres(String),
}

#[derive(QueryableByName)]
struct TextRow {
    #[diesel(sql_type = diesel::sql_types::Text)]
    text: String,
}

/// A row of the audit table.
#[derive(QueryableByName)]
#[diesel(table_name = audit)]
pub(crate) struct EventRow {
    pub(crate) id: Vec<u8>,
    pub(crate) at: i64,
    pub(crate) tenant_id: Option<Vec<u8>>,
    pub(crate) user_id: Option<Vec<u8>>,
    pub(crate) device_id: Option<Vec<u8>>,
    pub(crate) session_id: Option<Vec<u8>>,
    pub(crate) address: Option<String>,
    pub(crate) action: String,
    pub(crate) subject: String,
    pub(crate) subject_id: Option<Vec<u8>>,
    pub(crate) outcome: String,
    pub(crate) details: String,
    pub(crate) approver_id: Option<Vec<u8>>,
}

diesel::table! {
    audit (id) {
        id -> Binary,
        at -> BigInt,
        tenant_id -> Nullable<Binary>,
        user_id -> Nullable<Binary>,
        device_id -> Nullable<Binary>,
        session_id -> Nullable<Binary>,
        address -> Nullable<Text>,
        action -> Text,
        subject -> Text,
        subject_id -> Nullable<Binary>,
        outcome -> Text,
        details -> Text,
        approver_id -> Nullable<Binary>,
    }
}

/// A step of a query plan of SQLite, below the step `parent` (0 if there is none).
#[derive(Debug, QueryableByName)]
pub(crate) struct PlanStepRow {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub(crate) parent: i64,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub(crate) detail: String,
}

impl RawConnection {
    /// Runs SQL statements.
    pub(crate) fn execute(&self, statements: &str) {
        self.try_execute(statements).unwrap();
    }

    pub(crate) fn try_execute(&self, statements: &str) -> diesel::QueryResult<()> {
        match self {
            Self::Sqlite(path) => connect_sqlite(path).batch_execute(statements),
            Self::Postgres(url) => PgConnection::establish(url).unwrap().batch_execute(statements),
        }
    }

    /// The audit events, oldest first, read without a port.
    pub(crate) fn read_events(&self) -> Vec<EventRow> {
        let query = "SELECT * FROM audit ORDER BY at, id";
        match self {
            Self::Sqlite(path) => diesel::sql_query(query).load(&mut connect_sqlite(path)),
            Self::Postgres(url) => diesel::sql_query(query).load(&mut PgConnection::establish(url).unwrap()),
        }
        .unwrap()
    }

    /// The query plan of a statement in SQLite.
    pub(crate) fn explain(&self, statement: &str) -> Vec<PlanStepRow> {
        let Self::Sqlite(path) = self else { return Vec::new() };
        diesel::sql_query(format!("EXPLAIN QUERY PLAN {statement}")).load(&mut connect_sqlite(path)).unwrap()
    }

    /// The column `text` of a query's result.
    pub(crate) fn query_texts(&self, query: &str) -> Vec<String> {
        let rows: Vec<TextRow> = match self {
            Self::Sqlite(path) => diesel::sql_query(query).load(&mut connect_sqlite(path)),
            Self::Postgres(url) => diesel::sql_query(query).load(&mut PgConnection::establish(url).unwrap()),
        }
        .unwrap();
        rows.into_iter().map(|row| row.text).collect()
    }
}

fn connect_sqlite(path: &Path) -> SqliteConnection {
    let mut connection = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    connection.batch_execute("PRAGMA busy_timeout = 5000; PRAGMA foreign_keys = ON").unwrap();
    connection
}
