//! SQLite's single connection that writes, and the group of units of work in its open transaction.
//! The writers pass it to one another; `writer` decides whose turn it is.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use diesel::connection::{AnsiTransactionManager, Connection, SimpleConnection, TransactionManager};
use tillgate_domain::{StoreError, StoreResult};

use crate::connection::AnyConnection;
use crate::database::Limits;
use crate::database::nesting::DatabaseNumber;
use crate::deadline::{Deadline, elapsed_since, monotonic_now};
use crate::error_class::{Cause, UnitError, cause, classify, clear_last_cause};
use crate::sqlite;
use crate::sqlite::file::OpenedFile;
use crate::sqlite::waiter::Waiter;
use crate::statement::Statement;
use crate::transaction::{Transaction, TransactionWork, WrittenChanges};

type Manager = <AnyConnection as Connection>::TransactionManager;

/// When a group closes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GroupLimits {
    /// After this number of members.
    pub(crate) max_members: usize,
    /// After this time.
    pub(crate) max_age: Duration,
}

impl Default for GroupLimits {
    fn default() -> Self {
        Self { max_members: 64, max_age: Duration::from_millis(5) }
    }
}

/// The write lock is released for [`LOCK_RELEASE_PAUSE`] before it has been held this long,
/// including one group and its commit: otherwise another process that polls every
/// [`LOCK_POLL_INTERVAL`] would never find it free.
const MAX_LOCK_HOLD: Duration = Duration::from_millis(14);
/// How long the lock is released.
const LOCK_RELEASE_PAUSE: Duration = Duration::from_millis(1);
/// How often a lock held by another process is requested again.
const LOCK_POLL_INTERVAL: Duration = Duration::from_micros(300);

/// A unit of work that has run in the open group and waits for its commit.
pub(crate) struct Member {
    /// Where its thread waits.
    pub(crate) waiter: Arc<Waiter<Box<Group>>>,
    /// The result of its closure; an error has already been rolled back.
    pub(crate) outcome: Result<(), UnitError>,
    /// The changes for the observers, after the commit.
    pub(crate) written: WrittenChanges,
}

/// The result of running one member.
pub(crate) enum MemberOutcome {
    /// It is part of the open transaction, or was rolled back to its savepoint.
    Completed(Result<(), UnitError>, WrittenChanges),
    /// The whole transaction is lost.
    TransactionLost(UnitError),
    /// The closure panicked; the transaction must not continue.
    Panicked(Box<dyn Any + Send>),
}

/// The connection and the open group.
pub(crate) struct Group {
    file: Arc<OpenedFile>,
    limits: Limits,
    bounds: GroupLimits,
    connection: Option<AnyConnection>,
    /// When the open transaction began.
    opened_at: Option<Duration>,
    /// Since when the lock has been held without a pause.
    lock_busy_since: Option<Duration>,
    /// When the lock was last released.
    released_at: Option<Duration>,
    /// Whether a member has checked that the store accepts writes. While the transaction is open,
    /// no other process can change that.
    writes_allowed: bool,
    /// The members that have run in the open transaction.
    pub(crate) members: Vec<Member>,
}

impl Group {
    /// An empty group without a connection.
    pub(crate) fn new(file: Arc<OpenedFile>, limits: &Limits, closing: GroupLimits) -> Self {
        Self {
            file,
            limits: *limits,
            bounds: closing,
            connection: None,
            opened_at: None,
            lock_busy_since: None,
            released_at: None,
            writes_allowed: false,
            members: Vec::new(),
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.opened_at.is_some()
    }

    /// Whether no further member may join.
    pub(crate) fn is_full(&self) -> bool {
        self.members.len() >= self.bounds.max_members
            || self.opened_at.is_some_and(|begun| elapsed_since(begun) >= self.bounds.max_age)
    }

    /// Begins a transaction if none is open, and waits for the lock until the deadline. Fails if
    /// the deadline has passed.
    pub(crate) fn open(&mut self, deadline: &Deadline) -> Result<(), UnitError> {
        if deadline.has_passed() {
            return Err(StoreError::Unavailable("the turn to write came too late".to_owned()).into());
        }
        if self.is_open() {
            return Ok(());
        }
        self.yield_lock();
        let mut connection = match self.connection.take() {
            Some(AnyConnection::Sqlite(connection)) => connection,
            _ => sqlite::connect_writer(
                self.file.path(),
                self.limits.deadline.min(deadline.remaining()),
                self.limits.writer_page_bytes(),
            )
            .map_err(|error| StoreError::Unavailable(error.to_string()))?,
        };
        loop {
            match AnsiTransactionManager::begin_transaction_sql(&mut connection, "BEGIN IMMEDIATE") {
                Ok(()) => break,
                Err(error) if cause(&error) == Cause::Locked => {
                    self.lock_busy_since = None;
                    if deadline.has_passed() {
                        self.connection = Some(AnyConnection::Sqlite(connection));
                        return Err(StoreError::Unavailable("another process holds the write lock".to_owned()).into());
                    }
                    std::thread::sleep(LOCK_POLL_INTERVAL.min(deadline.remaining()));
                }
                // The connection is not kept: the next one may work.
                Err(error) => {
                    self.file.forget_log();
                    let failed = UnitError::of_statement(error);
                    let error = match failed.error {
                        StoreError::Conflict(text) => StoreError::Unavailable(text),
                        error => error,
                    };
                    return Err(UnitError { error, cause: failed.cause });
                }
            }
        }
        self.file.remember_log();
        let begun = monotonic_now();
        self.connection = Some(AnyConnection::Sqlite(connection));
        self.opened_at = Some(begun);
        self.lock_busy_since = self.lock_busy_since.or(Some(begun));
        Ok(())
    }

    /// Lets another process have the lock if this one has held it for long.
    fn yield_lock(&mut self) {
        let (Some(busy), Some(free)) = (self.lock_busy_since, self.released_at) else { return };
        let now = monotonic_now();
        let rested = now.saturating_sub(free);
        if rested < LOCK_RELEASE_PAUSE {
            if now.saturating_sub(busy) < MAX_LOCK_HOLD {
                return;
            }
            std::thread::sleep(LOCK_RELEASE_PAUSE.saturating_sub(rested));
        }
        self.lock_busy_since = None;
    }

    /// Runs one member in its own savepoint, on the calling thread.
    pub(crate) fn run(&mut self, number: DatabaseNumber, work: &mut TransactionWork<'_>) -> MemberOutcome {
        let Some(connection) = &mut self.connection else {
            return MemberOutcome::TransactionLost(StoreError::Fault("no transaction is open".to_owned()).into());
        };
        if let Err(error) = execute_cached(connection, "SAVEPOINT member") {
            return MemberOutcome::TransactionLost(UnitError::of_statement(error));
        }
        clear_last_cause();
        let mut written = WrittenChanges::default();
        let outcome = {
            let _inside = number.enter();
            let mut transaction = Transaction::in_group(connection, &mut written, self.writes_allowed);
            let outcome = catch_unwind(AssertUnwindSafe(|| work(&mut transaction)));
            self.writes_allowed = transaction.writes_allowed();
            outcome
        };
        match outcome {
            Err(panic) => MemberOutcome::Panicked(panic),
            Ok(Ok(())) => match execute_cached(connection, "RELEASE member") {
                Ok(()) => MemberOutcome::Completed(Ok(()), written),
                Err(error) => MemberOutcome::TransactionLost(UnitError::of_statement(error)),
            },
            // After a full disk, an I/O error or a lack of memory SQLite has rolled back the whole
            // transaction, and the savepoint no longer exists.
            Ok(Err(error)) => {
                let failed = UnitError::of_closure(error);
                match connection.batch_execute("ROLLBACK TO member; RELEASE member") {
                    Ok(()) => MemberOutcome::Completed(Err(failed), WrittenChanges::default()),
                    Err(_) => MemberOutcome::TransactionLost(failed),
                }
            }
        }
    }

    /// Commits the open transaction. If that fails, the connection is discarded and no member is
    /// committed.
    pub(crate) fn commit(&mut self) -> Result<(), UnitError> {
        let Some(connection) = &mut self.connection else {
            return Err(StoreError::Fault("no transaction is open".to_owned()).into());
        };
        let committed = Manager::commit_transaction(connection).map_err(UnitError::of_statement);
        self.mark_ended();
        if committed.is_err() {
            self.discard();
        }
        committed
    }

    /// Moves the write-ahead log into the database, empties it, and closes the connection.
    pub(crate) fn close(&mut self) -> StoreResult<()> {
        if let Some(connection) = &mut self.connection {
            connection.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)").map_err(classify)?;
        }
        self.discard();
        Ok(())
    }

    /// Discards the connection and the open transaction.
    pub(crate) fn discard(&mut self) {
        self.mark_ended();
        if let Some(connection) = self.connection.take() {
            self.file.forget_log();
            // diesel panics if SQLite does not close the connection; nothing else depends on that.
            if catch_unwind(AssertUnwindSafe(|| drop(connection))).is_err() {
                tracing::error!("a connection of SQLite could not be closed");
            }
        }
    }

    fn mark_ended(&mut self) {
        self.opened_at = None;
        self.writes_allowed = false;
        self.released_at = Some(monotonic_now());
    }
}

/// Runs a statement that every member runs; its prepared form is kept.
fn execute_cached(connection: &mut AnyConnection, statement: &'static str) -> diesel::QueryResult<()> {
    connection.execute_returning_count(&Statement::new(statement, [])).map(drop)
}

#[cfg(test)]
mod tests;
