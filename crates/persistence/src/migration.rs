//! Brings the tables of a database up to date under a lock that one process holds, and refuses a
//! database that a newer version has migrated. The SQL of the migrations is in `migrations/` of the
//! repository and is compiled into the program.

mod fiscal_series;
mod folding;

use std::collections::BTreeSet;
use std::sync::OnceLock;

use diesel::connection::SimpleConnection;
use diesel::migration::{Migration, MigrationSource, MigrationVersion};
use diesel::{Connection, PgConnection, RunQueryDsl, SqliteConnection, sql_query};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use tillgate_domain::{StoreError, StoreResult};

use crate::database::{Address, Database};
use crate::{postgres, sqlite};

const SQLITE_MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");
const POSTGRES_MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");

/// The newest migration that this program contains.
pub(crate) fn newest_known() -> StoreResult<&'static str> {
    static NEWEST: OnceLock<String> = OnceLock::new();
    if let Some(newest) = NEWEST.get() {
        return Ok(newest);
    }
    let known = MigrationSource::<diesel::sqlite::Sqlite>::migrations(&SQLITE_MIGRATIONS);
    let known =
        known.map_err(|error| StoreError::Fault(format!("the program's migrations cannot be read: {error}")))?;
    let newest = known.iter().map(|migration| migration.name().version().to_string()).max().unwrap_or_default();
    Ok(NEWEST.get_or_init(|| newest))
}

/// The advisory lock that keeps two processes from migrating the same PostgreSQL database at once.
/// The number is the text "tillgate", so no other program uses it.
const ADVISORY_LOCK_KEY: i64 = 0x7469_6c6c_6761_7465;

/// The migration after which [`folding`] fills columns.
const FOLDING_MIGRATION: &str = "2026-11-28-000011";

/// The migration after which [`folding`] composes the search texts of users again.
const EMAIL_SEARCH_MIGRATION: &str = "2026-11-30-000043";

/// The migration after which [`fiscal_series`] merges series.
const FISCAL_SERIES_MIGRATION: &str = "2026-11-28-000018";

/// Why the tables cannot be brought up to date. The failed migration has been rolled back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MigrateError {
    /// A newer version has migrated this database, and this one would damage it.
    #[error("the database has migrations that this program does not know ({0}); use the newer version of the program")]
    Newer(String),
    /// There is no connection, or another process holds the lock.
    #[error("the database cannot be migrated: {0}")]
    Unavailable(String),
    /// A statement of a migration failed.
    #[error("migration {name} failed: {detail}")]
    Failed {
        /// The name of the migration.
        name: String,
        /// The error message of the database.
        detail: String,
    },
}

impl Database {
    /// Brings the tables up to date, and calls `progress` with the name of each migration before it
    /// runs.
    ///
    /// Two processes may call this at the same time: the second one waits and then finds nothing to
    /// do.
    ///
    /// # Errors
    ///
    /// See [`MigrateError`].
    pub fn migrate(&self, progress: &mut dyn FnMut(&str)) -> Result<(), MigrateError> {
        self.with_lock(|harness| harness.run_pending(progress))
    }

    /// Whether any migration was ever run: `false` for a new file or schema.
    ///
    /// # Errors
    ///
    /// See [`MigrateError`].
    pub fn has_tables(&self) -> Result<bool, MigrateError> {
        let unavailable = |error: diesel::result::Error| MigrateError::Unavailable(error.to_string());
        let found: Vec<ExistsRow> = match &self.address {
            Address::Sqlite(path) => sql_query("SELECT 1 AS number FROM sqlite_master WHERE name = 'tenants'")
                .load(&mut open_sqlite(path, self)?)
                .map_err(unavailable)?,
            Address::Postgres(url) => sql_query("SELECT 1 AS number WHERE to_regclass('tenants') IS NOT NULL")
                .load(&mut open_postgres(url, self)?)
                .map_err(unavailable)?,
        };
        Ok(!found.is_empty())
    }

    /// The names of the migrations that [`migrate`](Self::migrate) would run, in order.
    ///
    /// # Errors
    ///
    /// See [`MigrateError`].
    pub fn pending_migrations(&self) -> Result<Vec<String>, MigrateError> {
        match &self.address {
            Address::Sqlite(path) => MigrationConnection::pending_names(&mut open_sqlite(path, self)?),
            Address::Postgres(url) => MigrationConnection::pending_names(&mut open_postgres(url, self)?),
        }
    }

    /// Reverts all migrations, newest first. All data is lost. This is for the test that migrates
    /// up, down and up again.
    ///
    /// # Errors
    ///
    /// See [`MigrateError`].
    #[doc(hidden)]
    pub fn revert_all(&self) -> Result<(), MigrateError> {
        self.with_lock(|harness| harness.revert_all())
    }

    fn with_lock(
        &self,
        mut run: impl FnMut(&mut dyn MigrationConnection) -> Result<(), MigrateError>,
    ) -> Result<(), MigrateError> {
        match &self.address {
            Address::Sqlite(path) => {
                let mut connection = open_sqlite(path, self)?;
                // One write lock for all migrations; the transaction of each is a savepoint in it.
                // The outcome has its own variable because diesel's transactions require diesel's
                // error type.
                let mut outcome = Ok(());
                let ended = connection.exclusive_transaction(|connection| {
                    outcome = run(connection);
                    if outcome.is_ok() { Ok(()) } else { Err(diesel::result::Error::RollbackTransaction) }
                });
                outcome?;
                ended.map_err(|error| MigrateError::Unavailable(error.to_string()))
            }
            Address::Postgres(url) => {
                let mut connection = open_postgres(url, self)?;
                acquire_lock(&mut connection).map_err(|error| MigrateError::Unavailable(error.to_string()))?;
                run(&mut connection)
            }
        }
    }
}

/// Acquires the lock of the migrations. The connection holds it, so it ends with the connection
/// whatever happens.
fn acquire_lock(connection: &mut PgConnection) -> diesel::QueryResult<()> {
    let attempt = sql_query(format!("SELECT pg_try_advisory_lock({ADVISORY_LOCK_KEY}) AS acquired"));
    if attempt.get_result::<LockRow>(connection)?.acquired {
        return Ok(());
    }
    tracing::info!("another process updates the database; waiting until it has finished");
    connection.batch_execute(&format!("SELECT pg_advisory_lock({ADVISORY_LOCK_KEY})"))
}

fn open_sqlite(path: &std::path::Path, database: &Database) -> Result<SqliteConnection, MigrateError> {
    let mut connection = sqlite::connect_plain(path, database.limits.deadline * 5)
        .map_err(|error| MigrateError::Unavailable(error.0))?;
    // A table that is rebuilt is dropped for a moment, while other tables refer to it. The foreign
    // keys are checked at the end of the transaction.
    connection
        .batch_execute("PRAGMA foreign_keys = OFF; PRAGMA synchronous = FULL")
        .map_err(|error| MigrateError::Unavailable(error.to_string()))?;
    Ok(connection)
}

fn open_postgres(url: &str, database: &Database) -> Result<PgConnection, MigrateError> {
    postgres::connect_plain(url, &database.limits).map_err(|error| MigrateError::Unavailable(error.0))
}

trait MigrationConnection {
    fn run_pending(&mut self, progress: &mut dyn FnMut(&str)) -> Result<(), MigrateError>;
    fn revert_all(&mut self) -> Result<(), MigrateError>;
    fn pending_names(&mut self) -> Result<Vec<String>, MigrateError>;
}

macro_rules! harness {
    ($connection:ty, $backend:ty, $migrations:ident, $check:path, $fill:path, $merge:path, $fill_users:path) => {
        impl MigrationConnection for $connection {
            fn run_pending(&mut self, progress: &mut dyn FnMut(&str)) -> Result<(), MigrateError> {
                for migration in pending_migrations::<$backend>(self, &$migrations)? {
                    let name = migration.name().to_string();
                    progress(&name);
                    // what SQL cannot do is part of the same transaction
                    let mut outcome = Ok(());
                    let ended = self.transaction(|connection| {
                        outcome = connection
                            .run_migration(&migration)
                            .map_err(|error| migration_error(&name, &*error))
                            .and_then(|_| {
                                let filled = match &name {
                                    name if name.starts_with(FOLDING_MIGRATION) => $fill(connection),
                                    name if name.starts_with(FISCAL_SERIES_MIGRATION) => $merge(connection),
                                    name if name.starts_with(EMAIL_SEARCH_MIGRATION) => $fill_users(connection),
                                    _ => Ok(()),
                                };
                                filled.map_err(|error| migration_error(&name, &error))
                            });
                        if outcome.is_ok() { Ok(()) } else { Err(diesel::result::Error::RollbackTransaction) }
                    });
                    outcome?;
                    ended.map_err(|error| migration_error(&name, &error))?;
                    $check(self, &name)?;
                }
                Ok(())
            }

            fn revert_all(&mut self) -> Result<(), MigrateError> {
                self.revert_all_migrations($migrations)
                    .map(drop)
                    .map_err(|error| migration_error("(taken back)", &*error))
            }

            fn pending_names(&mut self) -> Result<Vec<String>, MigrateError> {
                Ok(pending_migrations::<$backend>(self, &$migrations)?
                    .iter()
                    .map(|migration| migration.name().to_string())
                    .collect())
            }
        }
    };
}

harness!(
    SqliteConnection,
    diesel::sqlite::Sqlite,
    SQLITE_MIGRATIONS,
    check_foreign_keys,
    folding::sqlite::fill,
    fiscal_series::sqlite::merge,
    folding::sqlite::fill_users
);
harness!(
    PgConnection,
    diesel::pg::Pg,
    POSTGRES_MIGRATIONS,
    skip_foreign_key_check,
    folding::postgres::fill,
    fiscal_series::postgres::merge,
    folding::postgres::fill_users
);

fn pending_migrations<DB: diesel::backend::Backend>(
    harness: &mut impl MigrationHarness<DB>,
    source: &EmbeddedMigrations,
) -> Result<Vec<Box<dyn Migration<DB>>>, MigrateError> {
    let unavailable = |error: &(dyn std::error::Error + Send + Sync)| MigrateError::Unavailable(error.to_string());
    let applied: BTreeSet<MigrationVersion<'static>> =
        harness.applied_migrations().map_err(|error| unavailable(&*error))?.into_iter().collect();
    let mut known: Vec<Box<dyn Migration<DB>>> =
        MigrationSource::<DB>::migrations(source).map_err(|error| unavailable(&*error))?;
    known.sort_by_key(|migration| migration.name().version().as_owned());
    let versions: BTreeSet<_> = known.iter().map(|migration| migration.name().version().as_owned()).collect();
    let foreign: Vec<String> = applied.difference(&versions).map(ToString::to_string).collect();
    if !foreign.is_empty() {
        return Err(MigrateError::Newer(foreign.join(", ")));
    }
    known.retain(|migration| !applied.contains(&migration.name().version()));
    Ok(known)
}

fn migration_error(name: &str, error: &(dyn std::error::Error + Send + Sync)) -> MigrateError {
    MigrateError::Failed { name: name.to_owned(), detail: error.to_string() }
}

#[derive(diesel::QueryableByName)]
struct ExistsRow {
    #[diesel(sql_type = diesel::sql_types::Integer)]
    #[expect(dead_code, reason = "only the existence of the row matters")]
    number: i32,
}

#[derive(diesel::QueryableByName)]
struct LockRow {
    #[diesel(sql_type = diesel::sql_types::Bool)]
    acquired: bool,
}

#[derive(diesel::QueryableByName)]
struct BrokenReferenceRow {
    #[diesel(sql_type = diesel::sql_types::Text)]
    table: String,
}

/// Checks all foreign keys of SQLite's tables; they are off during a migration.
fn check_foreign_keys(connection: &mut SqliteConnection, name: &str) -> Result<(), MigrateError> {
    let broken: Vec<BrokenReferenceRow> = sql_query("SELECT \"table\" FROM pragma_foreign_key_check LIMIT 1")
        .load(connection)
        .map_err(|error| migration_error(name, &error))?;
    match broken.first() {
        None => Ok(()),
        Some(BrokenReferenceRow { table }) => Err(MigrateError::Failed {
            name: name.to_owned(),
            detail: format!("rows of \"{table}\" refer to rows that do not exist"),
        }),
    }
}

/// PostgreSQL checks foreign keys at each statement.
#[expect(clippy::unnecessary_wraps, reason = "same signature as the check for SQLite")]
fn skip_foreign_key_check(_: &mut PgConnection, _: &str) -> Result<(), MigrateError> {
    Ok(())
}

#[cfg(test)]
mod tests;
