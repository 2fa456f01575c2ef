//! The in-memory store: all ports of the engine and of the back office, in one process, without
//! persistence.
//!
//! It is the reference implementation for other stores, the store of the tests, and sufficient for
//! a server that may lose its sessions at a restart. Units of work run one after the other; a
//! rollback restores the previous rows. It knows no rules: the callers of the ports decide who may
//! do what.

mod api_keys;
mod attempts;
mod credentials;
mod device_keys;
mod directory;
mod email_verifications;
mod enrollments;
mod events;
mod feed;
mod invitations;
mod keys;
mod live_events;
mod mail_queue;
mod office;
mod pending_keys;
mod pins;
mod resets;
mod revocations;
mod rows;
mod seals;
mod sessions;
mod setup_tokens;
mod table;
mod tickets;
mod transaction;
mod unit_lock;
mod with_user;

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tillgate_domain::change::Observer;
use tillgate_domain::office::OfficePorts;
use tillgate_domain::{Change, Event, Mode, Store, StoreError, StoreResult, UnitOfWork, Work};
use uuid::Uuid;

use rows::Rows;
use table::Undo;
use tillgate_auth_core::AuthStore;
use tillgate_auth_core::clock::Clock;
use tillgate_auth_core::ports::{AuthPorts, Instance, InstanceState};
use transaction::Transaction;
use unit_lock::UnitLock;

/// How often a unit of work runs if it conflicts.
const MAX_RUNS: usize = 5;

/// An in-memory store. Fill it through the ports of the back office ([`OfficePorts`]).
///
/// ```
/// use std::sync::Arc;
/// use tillgate_auth_core::AuthPorts;
/// use tillgate_domain::{Store, StoreExt};
/// use tillgate_memory::MemoryStore;
///
/// let memory: Arc<dyn Store<AuthPorts>> = Arc::new(MemoryStore::new());
/// let keys = memory.read("list_keys", |tx| tx.keys().list())?;
/// assert!(keys.is_empty());
/// # Ok::<(), tillgate_domain::StoreError>(())
/// ```
pub struct MemoryStore {
    shared: Arc<SharedState>,
    observers: Mutex<Vec<Arc<dyn Observer>>>,
}

/// The changes that a unit of work has committed, and their numbers in the feed.
type CommittedChanges = (Vec<Change>, Vec<i64>);

/// The state that all processes over the store share.
struct SharedState {
    unit_lock: UnitLock,
    /// Separate from the rows, so that it can be set at any time.
    state: Mutex<InstanceState>,
    rows: Mutex<Rows>,
    /// The committed audit events, separate from the rows: they are only added, and reading them
    /// waits for no unit of work.
    audit: Mutex<Vec<Event>>,
}

impl MemoryStore {
    /// An empty store with an identity of its own.
    pub fn new() -> Self {
        // The identity has to be unique, not secret.
        let chance = || RandomState::new().hash_one(0u8);
        Self::with_id(
            uuid::Builder::from_random_bytes((u128::from(chance()) << 64 | u128::from(chance())).to_be_bytes())
                .into_uuid(),
        )
    }

    /// An empty store with this identity.
    pub fn with_id(instance: Uuid) -> Self {
        let rows = Rows::new(Instance { id: instance, state: InstanceState::Open });
        let state = Mutex::new(InstanceState::Open);
        let shared =
            SharedState { unit_lock: UnitLock::default(), state, rows: Mutex::new(rows), audit: Mutex::default() };
        Self { shared: Arc::new(shared), observers: Mutex::default() }
    }

    /// The same store as another process sees it: with the same data, and with observers of its
    /// own, which are notified only of what is committed through it. Changes of other processes
    /// reach it through the feed.
    pub fn share_with_process(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), observers: Mutex::default() }
    }

    /// Adds an observer, which is notified of what is committed through this value.
    pub fn add_observer(&self, observer: Arc<dyn Observer>) {
        lock(&self.observers).push(observer);
    }

    /// Sets whether the store accepts writes, for all processes over it.
    pub fn set_instance_state(&self, state: InstanceState) {
        *lock(&self.shared.state) = state;
    }

    /// Gives the store a clock of its own, as a database server has: rotations are dated by it. A
    /// second call simulates that another server has taken over.
    pub fn set_store_clock(&self, clock: Arc<dyn Clock>) {
        let current = &mut lock(&self.shared.rows).clock;
        let server = current.as_ref().map_or(0, |(_, server)| server.saturating_add(1));
        *current = Some((clock, server));
    }

    /// The committed audit events, oldest first.
    pub fn audit_events(&self) -> Vec<Event> {
        lock(&self.shared.audit).clone()
    }

    fn run_unit(
        &self,
        unit: UnitOfWork,
        work: &mut dyn FnMut(&mut Transaction<'_>) -> StoreResult<()>,
    ) -> StoreResult<()> {
        let _span = tracing::debug_span!("unit_of_work", name = unit.name).entered();
        let turn = self.shared.unit_lock.lock()?;
        let mut last = String::new();
        for _ in 0..MAX_RUNS {
            match self.run_once(unit.mode, work) {
                Ok((changes, numbers)) => {
                    drop(turn);
                    self.notify_observers(&changes, &numbers);
                    return Ok(());
                }
                Err(StoreError::Conflict(why)) => last = why,
                Err(other) => return Err(other),
            }
        }
        Err(StoreError::Unavailable(format!("the unit of work conflicted {MAX_RUNS} times: {last}")))
    }

    /// Runs the closure once, and commits or rolls back.
    fn run_once(
        &self,
        mode: Mode,
        work: &mut dyn FnMut(&mut Transaction<'_>) -> StoreResult<()>,
    ) -> StoreResult<CommittedChanges> {
        let state = *lock(&self.shared.state);
        if mode == Mode::Write && state != InstanceState::Open {
            return Err(StoreError::Unavailable(
                "the store takes no writes: it is being moved, or has been".to_owned(),
            ));
        }
        let mut open = OpenRows { rows: lock(&self.shared.rows), committed: false };
        open.rows.instance.state = state;
        let (changes, numbers) = (Vec::new(), Vec::new());
        let mut transaction = Transaction { rows: &mut open.rows, audit: &self.shared.audit, mode, changes, numbers };
        work(&mut transaction)?;
        let written = (transaction.changes, transaction.numbers);
        open.commit(&mut lock(&self.shared.audit));
        Ok(written)
    }

    fn notify_observers(&self, changes: &[Change], numbers: &[i64]) {
        if changes.is_empty() {
            return;
        }
        let observers = lock(&self.observers).clone();
        for observer in observers {
            observer.on_commit(changes);
            observer.on_feed_numbers(numbers);
        }
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

/// The rows during a unit of work. If it is dropped before the commit, by an error or a panic, it
/// restores the previous rows.
struct OpenRows<'m> {
    rows: MutexGuard<'m, Rows>,
    committed: bool,
}

impl OpenRows<'_> {
    fn commit(mut self, audit: &mut Vec<Event>) {
        let rows = &mut *self.rows;
        rows.tables.keep();
        rows.newest_event_at = rows.new_events.iter().map(|event| event.at).chain(rows.newest_event_at).max();
        audit.append(&mut rows.new_events);
        self.committed = true;
    }
}

impl Drop for OpenRows<'_> {
    fn drop(&mut self) {
        if !self.committed {
            self.rows.tables.undo();
            self.rows.new_events.clear();
        }
    }
}

/// A panic leaves no partial changes (see [`OpenRows`]), so a poisoned lock can be used.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl AuthStore for MemoryStore {
    fn add_observer(&self, observer: Arc<dyn Observer>) {
        Self::add_observer(self, observer);
    }
}

impl Store<AuthPorts> for MemoryStore {
    fn run(&self, unit: UnitOfWork, work: Work<'_, AuthPorts>) -> StoreResult<()> {
        self.run_unit(unit, &mut |transaction| work(transaction))
    }
}

impl Store<OfficePorts> for MemoryStore {
    fn run(&self, unit: UnitOfWork, work: Work<'_, OfficePorts>) -> StoreResult<()> {
        self.run_unit(unit, &mut |transaction| work(transaction))
    }
}
