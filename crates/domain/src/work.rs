//! The unit of work: what happens together or not at all.
//!
//! A [`Store`] runs a closure in one transaction and shows it the ports of a [`PortSet`]. Ports block: whoever serves requests
//! calls them on a thread that may wait.
//!
//! Promises of every store:
//!
//! 1. `Err` from the closure means that the store failed: everything is rolled back. A refusal is a value inside `Ok`, so what
//!    it decided (a stolen session ended, a wrong password counted) is committed with it.
//! 2. The closure may run again after a conflict: it touches nothing but `tx` and what it overwrites at each run.
//! 3. When `run` returns `Ok`, what was written is on disk, and the store's observer has been told of the changes.
//! 4. A unit of work has one deadline for all its waiting and running again; past it `Unavailable`. An `Unavailable` write may
//!    have been committed (a connection lost in `COMMIT`): ids are drawn before the closure, so a retry finds its own work.
//! 5. A `run` inside a closure of the same store is [`StoreError::Nested`], not a deadlock.
//!
//! ```
//! use tillgate_domain::{Mode, Store, StoreExt, Stored, Tx, View, Work};
//!
//! /// Shows what every part of the server writes, and nothing else.
//! struct Common;
//! impl View for Common {
//!     type Tx<'a> = dyn Tx + 'a;
//! }
//!
//! fn count(store: &dyn Store<Common>) -> Stored<u32> {
//!     store.read(|_tx| Ok(7))
//! }
//! ```

use crate::{Audit, Revocations};

/// Which ports a transaction shows: domain's, the back office's, auth-core's.
pub trait PortSet: 'static {
    /// The transaction as this view shows it, mostly a trait object.
    type Tx<'a>: ?Sized;
}

/// The ports that every part of the server writes.
pub trait Tx {
    /// Ends sessions and tells of changes.
    fn revocations(&mut self) -> &mut dyn Revocations;
    /// Tells what happened.
    fn audit(&mut self) -> &mut dyn Audit;
}

/// Whether a unit of work may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// One consistent reading; a write in it is a [`StoreError::Fault`].
    Read,
    /// Reads and writes.
    Write,
}

/// The closure of a unit of work.
pub type Work<'w, V> = &'w mut dyn for<'a, 'b> FnMut(&'b mut <V as PortSet>::Tx<'a>) -> StoreResult<()>;

/// What a port answers.
pub type StoreResult<T> = Result<T, StoreError>;

/// The store failed. None of these is ever the caller's mistake, and none is ever read as "not there".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Locked, slow, full, read-only, lost or overloaded: it may be there again in a moment.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// Another unit of work was in the way. The store runs the closure again; callers of `run` never see this.
    #[error("the unit of work was in conflict with another: {0}")]
    Conflict(String),
    /// A stored value cannot be read back.
    #[error("the store holds an unreadable value in {table}.{column}: {detail}")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// What is wrong with it, without the value itself.
        detail: String,
    },
    /// The store refuses for a reason that nobody foresaw: a missing permission, a missing table, a broken constraint.
    #[error("the store refused: {0}")]
    Fault(String),
    /// A unit of work was opened inside another of the same store.
    #[error("a unit of work was opened inside another")]
    Nested,
}

/// Something that runs units of work.
pub trait Store<V: PortSet>: Send + Sync {
    /// Runs `work` in one transaction; see the promises of [the module](self).
    fn run(&self, mode: Mode, work: Work<'_, V>) -> StoreResult<()>;

    /// Why the store takes no writes (a full disk, a read-only database), as the newest unit of work that wrote found it; `None` as
    /// soon as one has succeeded, and for a store that does not watch this. Answered from memory.
    fn write_failure(&self) -> Option<String> {
        None
    }
}

/// `read` and `write` for every [`Store`]: the closure's value comes back.
pub trait StoreExt<V: PortSet>: Store<V> {
    /// Runs a closure that only reads.
    fn read<T>(&self, work: impl for<'a, 'b> FnMut(&'b mut V::Tx<'a>) -> StoreResult<T>) -> StoreResult<T> {
        run_for_value(self, Mode::Read, work)
    }

    /// Runs a closure that reads and writes.
    fn write<T>(&self, work: impl for<'a, 'b> FnMut(&'b mut V::Tx<'a>) -> StoreResult<T>) -> StoreResult<T> {
        run_for_value(self, Mode::Write, work)
    }
}

impl<V: PortSet, S: Store<V> + ?Sized> StoreExt<V> for S {}

fn run_for_value<V: PortSet, S: Store<V> + ?Sized, T>(
    store: &S,
    mode: Mode,
    mut work: impl for<'a, 'b> FnMut(&'b mut V::Tx<'a>) -> StoreResult<T>,
) -> StoreResult<T> {
    let mut value = None;
    store.run(mode, &mut |tx| {
        value = Some(work(tx)?);
        Ok(())
    })?;
    value.ok_or_else(|| StoreError::Fault("the store did not run the unit of work".to_owned()))
}
