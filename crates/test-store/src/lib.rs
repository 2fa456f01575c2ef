//! The store on which a suite of tests runs: the in-memory store, SQLite or PostgreSQL.
//!
//! The environment variable `TEST_STORE` chooses it: `memory` (the default), `sqlite` or
//! `postgres`. A suite creates its stores with [`TestStore::new`] and so runs unchanged on each of
//! them; `tests/run thorough` runs the suites on all three. The few tests that cannot hold on a
//! database create theirs with [`TestStore::in_memory`], which takes the reason.
//!
//! A test has a database of its own, a copy of one that was migrated once, which is removed at its
//! end. A PostgreSQL server serves one test at a time, so a process starts as many as it has
//! threads.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a panic here fails the test"
)]

mod database;
mod postgres_clock;

use std::sync::Arc;

use tillgate_auth_core::clock::Clock;
use tillgate_auth_core::ports::InstanceState;
use tillgate_auth_core::{AuthPorts, AuthStore};
use tillgate_domain::change::Observer;
use tillgate_domain::office::OfficePorts;
use tillgate_domain::office::ports::{EventFilter, OffsetPageRequest};
use tillgate_domain::{Event, Store, StoreExt, StoreResult, UnitOfWork, Work};
use tillgate_memory::MemoryStore;
use tillgate_persistence::Database;
use tillgate_testkit::DatabaseEngine;

use database::TestDatabase;

/// The store on which a test runs.
pub struct TestStore(Kind);

enum Kind {
    Memory(MemoryStore),
    Database { database: Box<Database>, shared: Arc<TestDatabase> },
}

/// The database that `TEST_STORE` chooses; `None` for the in-memory store.
fn chosen_engine() -> Option<DatabaseEngine> {
    match std::env::var("TEST_STORE").as_deref() {
        Err(_) | Ok("" | "memory") => None,
        Ok("sqlite") => Some(DatabaseEngine::Sqlite),
        Ok("postgres") => Some(DatabaseEngine::Postgres),
        Ok(other) => panic!("TEST_STORE is \"{other}\": use memory, sqlite or postgres"),
    }
}

impl TestStore {
    /// An empty store of the kind that `TEST_STORE` chooses.
    pub fn new() -> Self {
        chosen_engine().map_or_else(Self::memory, Self::on)
    }

    /// An empty in-memory store, whatever `TEST_STORE` chooses. `reason` says why the test cannot
    /// hold on a database.
    pub fn in_memory(reason: &str) -> Self {
        assert!(!reason.is_empty(), "say why the test cannot hold on a database");
        Self::memory()
    }

    /// An empty store whose own clock [`set_clock`](Self::set_clock) can set: PostgreSQL if
    /// `TEST_STORE` chooses it, otherwise the in-memory store, because SQLite has no clock.
    pub fn new_with_clock() -> Self {
        match chosen_engine() {
            Some(DatabaseEngine::Postgres) => Self::on(DatabaseEngine::Postgres),
            Some(DatabaseEngine::Sqlite) | None => Self::memory(),
        }
    }

    /// An empty store without a clock of its own: SQLite if `TEST_STORE` chooses it, otherwise the
    /// in-memory store, because PostgreSQL has a clock.
    pub fn new_without_clock() -> Self {
        match chosen_engine() {
            Some(DatabaseEngine::Sqlite) => Self::on(DatabaseEngine::Sqlite),
            Some(DatabaseEngine::Postgres) | None => Self::memory(),
        }
    }

    fn memory() -> Self {
        Self(Kind::Memory(MemoryStore::new()))
    }

    fn on(engine: DatabaseEngine) -> Self {
        Self::open(Arc::new(TestDatabase::create(engine)))
    }

    fn open(shared: Arc<TestDatabase>) -> Self {
        Self(Kind::Database { database: Box::new(shared.open()), shared })
    }

    /// The same store as another process sees it: with the same data, and with observers of its
    /// own.
    pub fn share_with_process(&self) -> Self {
        match &self.0 {
            Kind::Memory(memory) => Self(Kind::Memory(memory.share_with_process())),
            Kind::Database { shared, .. } => Self::open(Arc::clone(shared)),
        }
    }

    /// Adds an observer, which is notified of what is committed through this value.
    pub fn add_observer(&self, observer: Arc<dyn Observer>) {
        match &self.0 {
            Kind::Memory(memory) => memory.add_observer(observer),
            Kind::Database { database, .. } => database.observe(observer),
        }
    }

    /// Sets whether the store accepts writes, for all processes over it.
    pub fn set_instance_state(&self, state: InstanceState) {
        match &self.0 {
            Kind::Memory(memory) => memory.set_instance_state(state),
            Kind::Database { shared, .. } => shared.set_instance_state(state),
        }
    }

    /// Lets the store's own clock follow this one, which the test moves. A second call simulates
    /// that another server has taken over.
    ///
    /// # Panics
    ///
    /// On SQLite, which has no clock; see [`new_with_clock`](Self::new_with_clock).
    pub fn set_clock(&self, clock: Arc<dyn Clock>) {
        match &self.0 {
            Kind::Memory(memory) => memory.set_store_clock(clock),
            Kind::Database { shared, .. } => shared.set_clock(clock),
        }
    }

    /// Lets the clock of PostgreSQL follow this one, because PostgreSQL cannot be without a clock.
    /// It does nothing on a store that can.
    pub fn follow_clock(&self, clock: Arc<dyn Clock>) {
        match &self.0 {
            Kind::Database { shared, .. } if shared.has_clock() => shared.set_clock(clock),
            Kind::Database { .. } | Kind::Memory(_) => {}
        }
    }

    /// The committed audit events, in the order in which they were recorded.
    pub fn audit_events(&self) -> Vec<Event> {
        match &self.0 {
            Kind::Memory(memory) => memory.audit_events(),
            Kind::Database { database, shared } => {
                let office: &dyn Store<OfficePorts> = &**database;
                let every = OffsetPageRequest::first(u32::MAX);
                let views = office.read("test", |tx| tx.events().list(&EventFilter::default(), &every)).unwrap();
                let order = shared.list_event_ids();
                let position = |event: &Event| order.iter().position(|id| *id == event.id.0);
                let mut events: Vec<Event> = views.into_iter().map(|view| view.event).collect();
                events.sort_by_key(position);
                events
            }
        }
    }
}

impl Default for TestStore {
    fn default() -> Self {
        Self::new()
    }
}

/// Implements a set of ports by those of the chosen store.
macro_rules! delegate {
    ($ports:ty) => {
        impl Store<$ports> for TestStore {
            fn run(&self, unit: UnitOfWork, work: Work<'_, $ports>) -> StoreResult<()> {
                match &self.0 {
                    Kind::Memory(memory) => Store::<$ports>::run(memory, unit, work),
                    Kind::Database { database, shared } => {
                        shared.synchronize_clock();
                        Store::<$ports>::run(&**database, unit, work)
                    }
                }
            }

            fn write_failure(&self) -> Option<String> {
                match &self.0 {
                    Kind::Memory(memory) => Store::<$ports>::write_failure(memory),
                    Kind::Database { database, .. } => Store::<$ports>::write_failure(&**database),
                }
            }
        }
    };
}

delegate!(AuthPorts);
delegate!(OfficePorts);

impl AuthStore for TestStore {
    fn add_observer(&self, observer: Arc<dyn Observer>) {
        Self::add_observer(self, observer);
    }
}
