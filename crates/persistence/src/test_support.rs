//! Helpers for this crate's tests: a database in a temporary folder, with a small table of tills.

use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::sql_types::BigInt;
use diesel::{RunQueryDsl, sql_query};
use tillgate_domain::{StoreResult, UnitOfWork};
use tillgate_testkit::{DatabaseEngine, TestFolder};

use crate::database::{Address, Database, Limits};
use crate::error_class::classify;
use crate::sqlite::group::GroupLimits;
use crate::transaction::Transaction;

/// A temporary folder for databases, removed when dropped.
pub(crate) struct DatabaseFolder(pub(crate) TestFolder);

impl DatabaseFolder {
    pub(crate) fn new() -> Self {
        Self(TestFolder::new())
    }

    pub(crate) fn address(&self) -> Address {
        Address::parse("sqlite:till.db", &self.0).unwrap()
    }

    /// A new, empty database of this engine.
    pub(crate) fn create(&self, engine: DatabaseEngine) -> Database {
        let address = match engine {
            DatabaseEngine::Sqlite => self.address(),
            DatabaseEngine::Postgres => {
                Address::parse(&tillgate_testkit::postgres::create_database(), &self.0).unwrap()
            }
        };
        Database::create(&address, &Limits::default()).unwrap()
    }

    /// A new database of this engine, with tables.
    pub(crate) fn open(&self, engine: DatabaseEngine) -> Database {
        match engine {
            DatabaseEngine::Sqlite => self.database(&Limits::default()),
            DatabaseEngine::Postgres => create_tables(self.create(engine)),
        }
    }

    /// A database whose groups close as soon as no writer waits.
    pub(crate) fn database(&self, limits: &Limits) -> Database {
        let closing = GroupLimits { max_members: 64, max_age: Duration::from_mins(1) };
        if let Address::Sqlite(path) = self.address() {
            crate::sqlite::file::create_if_missing(&path).unwrap();
        }
        create_tables(Database::open_with_group_limits(&self.address(), limits, closing).unwrap())
    }
}

/// A PostgreSQL database with tables, and its address.
pub(crate) fn create_postgres(limits: &Limits) -> (String, Database) {
    let url = tillgate_testkit::postgres::create_database();
    let address = Address::parse(&url, std::path::Path::new("/")).unwrap();
    (url, create_tables(Database::create(&address, limits).unwrap()))
}

pub(crate) fn create_tables(database: Database) -> Database {
    run_write(&database, |tx| {
        execute_sql(
            tx,
            "CREATE TABLE IF NOT EXISTS tills (id BIGINT PRIMARY KEY, n BIGINT NOT NULL);
             CREATE TABLE IF NOT EXISTS slips (till BIGINT NOT NULL REFERENCES tills (id) DEFERRABLE INITIALLY DEFERRED);
             CREATE TABLE IF NOT EXISTS heap (b TEXT);",
        )
    })
    .unwrap();
    database
}

pub(crate) fn run_write(
    database: &Database,
    mut work: impl FnMut(&mut Transaction<'_>) -> StoreResult<()>,
) -> StoreResult<()> {
    database.run_unit(UnitOfWork::write("test"), &mut work)
}

pub(crate) fn run_read(
    database: &Database,
    mut work: impl FnMut(&mut Transaction<'_>) -> StoreResult<()>,
) -> StoreResult<()> {
    database.run_unit(UnitOfWork::read("test"), &mut work)
}

pub(crate) fn execute_sql(tx: &mut Transaction<'_>, statements: &str) -> StoreResult<()> {
    tx.connection.batch_execute(statements).map_err(classify)
}

pub(crate) fn insert_till(tx: &mut Transaction<'_>, id: i64) -> StoreResult<()> {
    sql_query(format!("INSERT INTO tills VALUES ({id}, 0)")).execute(tx.connection).map(drop).map_err(classify)
}

#[derive(diesel::QueryableByName)]
struct NumberRow {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

/// The number that a query returns.
pub(crate) fn query_number(tx: &mut Transaction<'_>, query: &str) -> StoreResult<i64> {
    sql_query(format!("SELECT CAST(({query}) AS BIGINT) AS n"))
        .get_result::<NumberRow>(tx.connection)
        .map(|number| number.n)
        .map_err(classify)
}

/// The number that a query of the committed state returns.
pub(crate) fn query_committed(database: &Database, query: &str) -> i64 {
    let mut found = 0;
    run_read(database, |tx| {
        found = query_number(tx, query)?;
        Ok(())
    })
    .unwrap();
    found
}

/// Waits until other threads have made the condition true.
pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = crate::deadline::monotonic_now() + Duration::from_secs(20);
    while !holds() {
        assert!(crate::deadline::monotonic_now() < end, "timed out waiting until {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}
