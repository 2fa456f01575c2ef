//! The unit of work: a transaction that commits as a whole or not at all.
//!
//! A [`Store`] runs a closure in one transaction and gives it the ports of a [`PortSet`]. Ports
//! block, so a server calls them on a thread that may wait.
//!
//! Every store promises:
//!
//! 1. `Err` from the closure means that the store failed: everything is rolled back. A denial is a
//!    value inside `Ok`, so what it writes (a stolen session ended, a wrong password counted) is
//!    committed with it.
//! 2. The closure may run again after a conflict. It must not change anything but `tx` and what it
//!    overwrites at each run.
//! 3. When `run` returns `Ok`, the writes are on disk, and the store's observers were notified of
//!    the changes.
//! 4. A unit of work has one deadline for all its waiting and all its runs; after it, `run` returns
//!    `Unavailable`. An `Unavailable` write may have been committed (a connection lost in
//!    `COMMIT`): ids are created before the closure, so that a retry finds its own work.
//! 5. A `run` inside a closure of the same store returns [`StoreError::Nested`] and does not
//!    deadlock.
//!
//! A unit of work that depends on several rows first claims a row, by an UPDATE that locks it until
//! the transaction ends. Under PostgreSQL's READ COMMITTED, each statement after a lock sees what
//! the lock waited for. Without the lock, a session that was created with the old password survives
//! the password change. A store that serializes transactions hides this, so the contract
//! (`tillgate-testkit`) has a test case for each lock, in which two threads interleave between the
//! read and the write.
//!
//! ```
//! use tillgate_domain::{PortSet, Store, StoreExt, StoreResult, Tx};
//!
//! /// The ports that every part of the server uses, and no others.
//! struct Common;
//! impl PortSet for Common {
//!     type Tx<'a> = dyn Tx + 'a;
//! }
//!
//! fn count(store: &dyn Store<Common>) -> StoreResult<u32> {
//!     store.read("count_users", |_tx| Ok(7))
//! }
//! ```

use crate::{Audit, Revocations, StoreError, StoreResult};

/// The ports that a transaction gives access to: those of this crate, of the back office, or of the
/// engine.
pub trait PortSet: 'static {
    /// The transaction with these ports, usually a trait object.
    type Tx<'a>: ?Sized;
}

/// The ports that every part of the server uses.
pub trait Tx {
    /// Ends sessions and reports changes to all processes.
    fn revocations(&mut self) -> &mut dyn Revocations;
    /// Records audit events.
    fn audit(&mut self) -> &mut dyn Audit;
}

/// Whether a unit of work may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// One consistent snapshot; a write in it is a [`StoreError::Fault`].
    Read,
    /// Reads and writes in one transaction.
    Write,
}

/// The name and the mode of a unit of work. Metrics, spans and error texts contain the name: it
/// comes from the list in `docs/operating.md` and never contains a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnitOfWork {
    /// What the unit of work does, such as `refresh`.
    pub name: &'static str,
    /// Whether it may write.
    pub mode: Mode,
}

impl UnitOfWork {
    /// A unit of work that only reads.
    pub const fn read(name: &'static str) -> Self {
        Self { name, mode: Mode::Read }
    }

    /// A unit of work that reads and writes.
    pub const fn write(name: &'static str) -> Self {
        Self { name, mode: Mode::Write }
    }
}

/// The closure of a unit of work.
pub type Work<'w, V> = &'w mut dyn for<'a, 'b> FnMut(&'b mut <V as PortSet>::Tx<'a>) -> StoreResult<()>;

/// A store that runs units of work.
pub trait Store<V: PortSet>: Send + Sync {
    /// Runs `work` in one transaction, with the promises of [the module](self). A store needs only
    /// the mode of `unit`; it may report the name in its logs and metrics.
    fn run(&self, unit: UnitOfWork, work: Work<'_, V>) -> StoreResult<()>;

    /// Why the store cannot be written (a full disk, a read-only database), according to the newest
    /// unit of work that wrote. `None` as soon as one succeeds, and for a store that does not watch
    /// this. It does not access the store.
    fn write_failure(&self) -> Option<String> {
        None
    }
}

/// `read` and `write` for every [`Store`]. They return the value of the closure, and their errors
/// name the unit of work.
pub trait StoreExt<V: PortSet>: Store<V> {
    /// Runs a closure that only reads.
    fn read<T>(
        &self,
        name: &'static str,
        mut work: impl for<'a, 'b> FnMut(&'b mut V::Tx<'a>) -> StoreResult<T>,
    ) -> StoreResult<T> {
        let mut value = None;
        let outcome = self.run(UnitOfWork::read(name), &mut |tx| keep_value(&mut value, work(tx)));
        unit_value(name, outcome, value)
    }

    /// Runs a closure that reads and writes.
    fn write<T>(
        &self,
        name: &'static str,
        mut work: impl for<'a, 'b> FnMut(&'b mut V::Tx<'a>) -> StoreResult<T>,
    ) -> StoreResult<T> {
        let mut value = None;
        let outcome = self.run(UnitOfWork::write(name), &mut |tx| keep_value(&mut value, work(tx)));
        unit_value(name, outcome, value)
    }
}

impl<V: PortSet, S: Store<V> + ?Sized> StoreExt<V> for S {}

/// Keeps the value of one run of a closure. A later run replaces it.
fn keep_value<T>(value: &mut Option<T>, result: StoreResult<T>) -> StoreResult<()> {
    *value = Some(result?);
    Ok(())
}

/// The value of a unit of work that has ended with this outcome.
fn unit_value<T>(name: &str, outcome: StoreResult<()>, value: Option<T>) -> StoreResult<T> {
    let value = match outcome {
        Ok(()) => value.ok_or_else(|| StoreError::Fault("the store did not run the unit of work".to_owned())),
        Err(error) => Err(error),
    };
    value.map_err(|error| error.in_unit(name))
}
