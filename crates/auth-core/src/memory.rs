//! The store in memory: every port of authentication and of the back office, in one process, gone with it.
//!
//! It is the reference that every other store is measured by, the store of tests, and good enough for a server that may forget
//! its sessions at a restart. Units of work follow one another, so two of them never meet half-way; what they write is undone
//! by what the rows were before. It knows nothing of rules: who may do what is decided by those who call the ports.

mod api_keys;
mod attempts;
mod credentials;
mod directory;
mod endings;
mod events;
mod feed;
mod gate;
mod keys;
mod office;
mod resets;
mod rows;
mod seals;
mod sessions;
mod table;
mod tickets;
mod transaction;
mod trial;

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tillgate_domain::change::Observer;
use tillgate_domain::office::OfficeView;
use tillgate_domain::{Change, Event, Mode, Store, StoreError, Stored, Work};
use uuid::Uuid;

use crate::AuthStore;
use crate::clock::Clock;
use crate::ports::{AuthView, Instance, InstanceState};
use gate::Gate;
use rows::Rows;
use table::Undo;
use transaction::Transaction;

/// How often a unit of work runs that meets a conflict.
const RUNS: usize = 5;

/// A store in memory. It is filled through the ports of the back office ([`OfficeView`]).
///
/// ```
/// use std::sync::Arc;
/// use tillgate_auth_core::{AuthView, Memory};
/// use tillgate_domain::{Store, StoreExt};
///
/// let memory: Arc<dyn Store<AuthView>> = Arc::new(Memory::new());
/// let keys = memory.read(|tx| tx.keys().all())?;
/// assert!(keys.is_empty());
/// # Ok::<(), tillgate_domain::StoreError>(())
/// ```
pub struct Memory {
    held: Arc<Held>,
    observers: Mutex<Vec<Arc<dyn Observer>>>,
}

/// The changes that a unit of work has committed, and their numbers in the feed.
type Written = (Vec<Change>, Vec<i64>);

/// What all processes over the store share.
struct Held {
    gate: Gate,
    /// Apart from the rows, so that it can be set at any time.
    state: Mutex<InstanceState>,
    rows: Mutex<Rows>,
    /// The committed lines of the audit, apart from the rows: they only grow, and reading them waits for nobody.
    audit: Mutex<Vec<Event>>,
}

impl Memory {
    /// An empty store with an identity of its own.
    pub fn new() -> Self {
        // It need be unlike others', not secret.
        let chance = || RandomState::new().hash_one(0u8);
        Self::of(
            uuid::Builder::from_random_bytes((u128::from(chance()) << 64 | u128::from(chance())).to_be_bytes())
                .into_uuid(),
        )
    }

    /// An empty store with this identity.
    pub fn of(instance: Uuid) -> Self {
        let rows = Rows::of(Instance { id: instance, state: InstanceState::Open });
        let state = Mutex::new(InstanceState::Open);
        let held = Held { gate: Gate::default(), state, rows: Mutex::new(rows), audit: Mutex::default() };
        Self { held: Arc::new(held), observers: Mutex::default() }
    }

    /// The same store as another process sees it: it holds the same data, and its observers are told of what is committed
    /// through it alone. The others' changes reach it by the feed.
    pub fn process(&self) -> Self {
        Self { held: Arc::clone(&self.held), observers: Mutex::default() }
    }

    /// From now on this observer is told too of what is committed through this value.
    pub fn observe(&self, observer: Arc<dyn Observer>) {
        locked(&self.observers).push(observer);
    }

    /// Opens the store for writes or closes it to them, for every process over it.
    pub fn turn(&self, state: InstanceState) {
        *locked(&self.held.state) = state;
    }

    /// Gives the store a clock of its own, as a database server has one: all processes over it date rotations by it. Called
    /// again, another server has taken over.
    pub fn keep_time(&self, clock: Arc<dyn Clock>) {
        let held = &mut locked(&self.held.rows).clock;
        let server = held.as_ref().map_or(0, |(_, server)| server.saturating_add(1));
        *held = Some((clock, server));
    }

    /// The lines of the audit that were committed, oldest first.
    pub fn audit(&self) -> Vec<Event> {
        locked(&self.held.audit).clone()
    }

    fn unit(&self, mode: Mode, work: &mut dyn FnMut(&mut Transaction<'_>) -> Stored<()>) -> Stored<()> {
        let turn = self.held.gate.enter()?;
        let mut last = String::new();
        for _ in 0..RUNS {
            match self.once(mode, work) {
                Ok((changes, numbers)) => {
                    drop(turn);
                    self.tell(&changes, &numbers);
                    return Ok(());
                }
                Err(StoreError::Conflict(why)) => last = why,
                Err(other) => return Err(other),
            }
        }
        Err(StoreError::Unavailable(format!("in conflict {RUNS} times: {last}")))
    }

    /// Runs the closure once, and keeps what it did or undoes it.
    fn once(&self, mode: Mode, work: &mut dyn FnMut(&mut Transaction<'_>) -> Stored<()>) -> Stored<Written> {
        let state = *locked(&self.held.state);
        if mode == Mode::Write && state != InstanceState::Open {
            return Err(StoreError::Unavailable(
                "the store takes no writes: it is being moved, or has been".to_owned(),
            ));
        }
        let mut open = Open { rows: locked(&self.held.rows), committed: false };
        open.rows.instance.state = state;
        let (changes, numbers) = (Vec::new(), Vec::new());
        let mut transaction = Transaction { rows: &mut open.rows, audit: &self.held.audit, mode, changes, numbers };
        work(&mut transaction)?;
        let written = (transaction.changes, transaction.numbers);
        open.commit(&mut locked(&self.held.audit));
        Ok(written)
    }

    fn tell(&self, changes: &[Change], numbers: &[i64]) {
        if changes.is_empty() {
            return;
        }
        let observers = locked(&self.observers).clone();
        for observer in observers {
            observer.committed(changes);
            observer.numbered(numbers);
        }
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

/// The rows while a closure works on them. Dropped before the commit, by an error or a panic, they are what they were.
struct Open<'m> {
    rows: MutexGuard<'m, Rows>,
    committed: bool,
}

impl Open<'_> {
    fn commit(mut self, audit: &mut Vec<Event>) {
        let rows = &mut *self.rows;
        rows.tables.keep();
        rows.told_until = rows.told.iter().map(|event| event.at).chain(rows.told_until).max();
        audit.append(&mut rows.told);
        self.committed = true;
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        if !self.committed {
            self.rows.tables.undo();
            self.rows.told.clear();
        }
    }
}

/// A panic leaves nothing half done behind (see [`Open`]), so a poisoned lock is as good as another.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl AuthStore for Memory {
    fn observe(&self, observer: Arc<dyn Observer>) {
        Self::observe(self, observer);
    }
}

impl Store<AuthView> for Memory {
    fn run(&self, mode: Mode, work: Work<'_, AuthView>) -> Stored<()> {
        self.unit(mode, &mut |transaction| work(transaction))
    }
}

impl Store<OfficeView> for Memory {
    fn run(&self, mode: Mode, work: Work<'_, OfficeView>) -> Stored<()> {
        self.unit(mode, &mut |transaction| work(transaction))
    }
}
