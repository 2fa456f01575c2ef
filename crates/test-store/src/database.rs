//! A new database for one test.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection};
use tillgate_auth_core::clock::Clock;
use tillgate_auth_core::ports::InstanceState;
use tillgate_auth_core::{Entropy, SystemEntropy};
use tillgate_persistence::{Address, Database, Limits};
use tillgate_testkit::postgres::Server;
use tillgate_testkit::{DatabaseEngine, TestFolder};
use uuid::Uuid;

use crate::postgres_clock::{PREPARE_CLOCK, PostgresClock, USE_CLOCK};

/// Rows of PostgreSQL have no order of their own. The tests ask for the order in which events were
/// recorded, which their ids do not tell if a clock stands still.
const NUMBER_EVENTS: &str = "ALTER TABLE audit ADD COLUMN recorded BIGSERIAL";

/// A server with a migrated database, of which the others are copies. It serves one test at a time:
/// what changed since a page was read, and how far a process has followed the feed, both wait for
/// transactions in other databases of a server.
struct ReservedServer {
    server: &'static Server,
    migrated: &'static str,
}

/// The servers that no test uses. They stop with the process; see [`tillgate_testkit::postgres`].
static FREE_SERVERS: Mutex<Vec<ReservedServer>> = Mutex::new(Vec::new());

impl ReservedServer {
    /// Reserves a server, or starts another one.
    fn reserve() -> Self {
        let free = FREE_SERVERS.lock().unwrap_or_else(PoisonError::into_inner).pop();
        free.unwrap_or_else(Self::start)
    }

    /// Lets another test use the server.
    fn release(&self) {
        let Self { server, migrated } = *self;
        FREE_SERVERS.lock().unwrap_or_else(PoisonError::into_inner).push(Self { server, migrated });
    }

    /// Starts a server that may lose everything in a crash, which no test of these suites causes.
    fn start() -> Self {
        let server = Server::start(&["fsync=off", "full_page_writes=off", "autovacuum=off"]);
        let server: &'static Server = Box::leak(Box::new(server.unwrap_or_else(|error| panic!("{error}"))));
        let url = server.create_database();
        migrate(&Address::Postgres(url.clone()));
        let mut raw = PgConnection::establish(&url).unwrap();
        raw.batch_execute(&format!("{NUMBER_EVENTS}; {PREPARE_CLOCK}")).unwrap();
        Self { server, migrated: Box::leak(url.into_boxed_str()) }
    }
}

/// Where the database is.
enum Location {
    Sqlite(TestFolder),
    Postgres { server: ReservedServer, url: String, clock: PostgresClock },
}

/// A migrated database, removed when dropped. Several processes may have it open.
pub(crate) struct TestDatabase {
    location: Location,
    /// A connection with the database's own library, for what no port offers.
    raw: Mutex<RawConnection>,
}

enum RawConnection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

#[derive(QueryableByName)]
struct IdRow {
    #[diesel(sql_type = diesel::sql_types::Binary)]
    id: Vec<u8>,
}

impl TestDatabase {
    /// A new database of this engine: a copy of one that was migrated once.
    pub(crate) fn create(engine: DatabaseEngine) -> Self {
        let created = match engine {
            DatabaseEngine::Sqlite => Self::create_sqlite(),
            DatabaseEngine::Postgres => Self::create_postgres(),
        };
        let id: [u8; 16] = (&SystemEntropy::new() as &dyn Entropy).random_bytes().unwrap();
        created.open().set_instance_id(uuid::Builder::from_random_bytes(id).into_uuid()).unwrap();
        created
    }

    fn create_sqlite() -> Self {
        static MIGRATED: OnceLock<Vec<u8>> = OnceLock::new();
        // in memory, because hundreds of tests share one or two disks
        let migrated = MIGRATED.get_or_init(|| {
            let folder = TestFolder::in_memory();
            // the write-ahead log goes with the last connection
            migrate(&Address::Sqlite(sqlite_file(&folder)));
            std::fs::read(sqlite_file(&folder)).unwrap()
        });
        let folder = TestFolder::in_memory();
        std::fs::write(sqlite_file(&folder), migrated).unwrap();
        let mut raw = SqliteConnection::establish(sqlite_file(&folder).to_str().unwrap()).unwrap();
        raw.batch_execute("PRAGMA busy_timeout = 5000").unwrap();
        Self { location: Location::Sqlite(folder), raw: Mutex::new(RawConnection::Sqlite(raw)) }
    }

    fn create_postgres() -> Self {
        let server = ReservedServer::reserve();
        let url = server.server.copy_database(server.migrated);
        let mut raw = PgConnection::establish(&url).unwrap();
        raw.batch_execute(USE_CLOCK).unwrap();
        let location = Location::Postgres { server, url, clock: PostgresClock::default() };
        Self { location, raw: Mutex::new(RawConnection::Postgres(raw)) }
    }

    /// Opens the database as a process does.
    pub(crate) fn open(&self) -> Database {
        // on a busy machine a unit of work may wait longer than a server allows
        let limits = Limits { deadline: Duration::from_secs(20), ..Limits::default() };
        Database::open(&self.address(), &limits).unwrap()
    }

    fn address(&self) -> Address {
        match &self.location {
            Location::Sqlite(folder) => Address::Sqlite(sqlite_file(folder)),
            Location::Postgres { url, .. } => Address::Postgres(url.clone()),
        }
    }

    fn lock_raw(&self) -> MutexGuard<'_, RawConnection> {
        self.raw.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets whether the store accepts writes, as an operator does who moves it.
    pub(crate) fn set_instance_state(&self, state: InstanceState) {
        let word = match state {
            InstanceState::Open => "open",
            InstanceState::Draining => "draining",
            InstanceState::Moved => "moved",
        };
        let statement = format!("UPDATE meta SET state = '{word}'");
        match &mut *self.lock_raw() {
            RawConnection::Sqlite(raw) => raw.batch_execute(&statement),
            RawConnection::Postgres(raw) => raw.batch_execute(&statement),
        }
        .unwrap();
    }

    /// The ids of the audit events, in the order in which they were recorded.
    pub(crate) fn list_event_ids(&self) -> Vec<Uuid> {
        let rows: Vec<IdRow> = match &mut *self.lock_raw() {
            RawConnection::Sqlite(raw) => diesel::sql_query("SELECT id FROM audit ORDER BY rowid").load(raw),
            RawConnection::Postgres(raw) => diesel::sql_query("SELECT id FROM audit ORDER BY recorded").load(raw),
        }
        .unwrap();
        rows.iter().map(|row| Uuid::from_slice(&row.id).unwrap()).collect()
    }

    /// Whether the database has a clock of its own.
    pub(crate) fn has_clock(&self) -> bool {
        matches!(self.location, Location::Postgres { .. })
    }

    /// Lets the clock of the server follow this one. A second call simulates another server.
    pub(crate) fn set_clock(&self, clock: Arc<dyn Clock>) {
        match &self.location {
            Location::Postgres { clock: follower, .. } => follower.follow(clock),
            Location::Sqlite(_) => panic!("SQLite has no clock of its own"),
        }
    }

    /// Sets the clock of the server to the one that it follows, before a unit of work reads it.
    pub(crate) fn synchronize_clock(&self) {
        if let Location::Postgres { clock, .. } = &self.location {
            clock.synchronize(|statement| match &mut *self.lock_raw() {
                RawConnection::Postgres(raw) => raw.batch_execute(statement).unwrap(),
                RawConnection::Sqlite(_) => {}
            });
        }
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if let Location::Postgres { server, url, .. } = &self.location {
            let name = url.rsplit('/').next().unwrap_or_default();
            // hundreds of tests would fill the disk
            drop(server.server.sql("postgres", &format!("DROP DATABASE {name} WITH (FORCE)")));
            server.release();
        }
    }
}

/// The file of SQLite's database in its folder.
fn sqlite_file(folder: &Path) -> PathBuf {
    folder.join("till.db")
}

/// Creates a database with its tables, and closes it.
fn migrate(address: &Address) {
    let database = Database::create(address, &Limits::default()).unwrap();
    database.migrate(&mut |_| ()).unwrap();
}
