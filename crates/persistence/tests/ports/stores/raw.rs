//! A database by its own library: what no port says, and what no port asks.

use std::path::{Path, PathBuf};

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection};

/// The same database by its own library.
#[derive(Clone)]
pub(crate) enum Raw {
    Sqlite(PathBuf),
    Postgres(String),
}

#[derive(QueryableByName)]
struct Text {
    #[diesel(sql_type = diesel::sql_types::Text)]
    text: String,
}

/// A line of the audit as it stands in its table.
#[derive(QueryableByName)]
#[diesel(table_name = audit)]
pub(crate) struct Line {
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

/// A step of a plan of SQLite's, below another or below none (0).
#[derive(Debug, QueryableByName)]
pub(crate) struct Step {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub(crate) parent: i64,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub(crate) detail: String,
}

impl Raw {
    /// Runs statements.
    pub(crate) fn sql(&self, statements: &str) {
        self.try_sql(statements).unwrap();
    }

    pub(crate) fn try_sql(&self, statements: &str) -> diesel::QueryResult<()> {
        match self {
            Self::Sqlite(path) => sqlite(path).batch_execute(statements),
            Self::Postgres(url) => PgConnection::establish(url).unwrap().batch_execute(statements),
        }
    }

    /// The lines of the audit, oldest first, read without any port.
    pub(crate) fn lines(&self) -> Vec<Line> {
        let query = "SELECT * FROM audit ORDER BY at, id";
        match self {
            Self::Sqlite(path) => diesel::sql_query(query).load(&mut sqlite(path)),
            Self::Postgres(url) => diesel::sql_query(query).load(&mut PgConnection::establish(url).unwrap()),
        }
        .unwrap()
    }

    /// How SQLite goes about a statement, step by step.
    pub(crate) fn plan(&self, statement: &str) -> Vec<Step> {
        let Self::Sqlite(path) = self else { return Vec::new() };
        diesel::sql_query(format!("EXPLAIN QUERY PLAN {statement}")).load(&mut sqlite(path)).unwrap()
    }

    /// The column `text` of what a query answers.
    pub(crate) fn texts(&self, query: &str) -> Vec<String> {
        let rows: Vec<Text> = match self {
            Self::Sqlite(path) => diesel::sql_query(query).load(&mut sqlite(path)),
            Self::Postgres(url) => diesel::sql_query(query).load(&mut PgConnection::establish(url).unwrap()),
        }
        .unwrap();
        rows.into_iter().map(|row| row.text).collect()
    }
}

fn sqlite(path: &Path) -> SqliteConnection {
    let mut connection = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    connection.batch_execute("PRAGMA busy_timeout = 5000; PRAGMA foreign_keys = ON").unwrap();
    connection
}
