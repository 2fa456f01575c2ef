//! The one connection that writes to SQLite, and the group of units of work in its open transaction. It goes from hand to hand
//! among the writers; whose turn it is stands in `writer`.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use diesel::connection::{AnsiTransactionManager, Connection, SimpleConnection, TransactionManager};
use tillgate_domain::{Mode, StoreError, Stored};

use crate::connection::AnyConnection;
use crate::database::nesting::Number;
use crate::database::{Job, Limits};
use crate::deadline::{Deadline, now, since};
use crate::failure::classify;
use crate::sqlite;
use crate::sqlite::turn::Turn;
use crate::statement::Statement;
use crate::transaction::{Transaction, Written};

type Manager = <AnyConnection as Connection>::TransactionManager;

/// When a group closes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Closing {
    /// After this many members.
    pub(crate) members: usize,
    /// After this long.
    pub(crate) span: Duration,
}

impl Default for Closing {
    fn default() -> Self {
        Self { members: 64, span: Duration::from_millis(5) }
    }
}

/// The write lock is let go for [`PAUSE`] before it has been held this long, one group and its commit reckoned in: another process
/// that asks every [`POLL`] would never meet it free.
const HOLD: Duration = Duration::from_millis(14);
/// How long the lock is let go.
const PAUSE: Duration = Duration::from_millis(1);
/// How often a held lock is asked for again.
const POLL: Duration = Duration::from_micros(300);

/// One who has run in the open group and waits for its commit.
pub(crate) struct Member {
    /// Where they wait.
    pub(crate) turn: Arc<Turn<Box<Group>>>,
    /// What their closure came to; undone already where it is an error.
    pub(crate) outcome: Stored<()>,
    /// What the observers are told once it is committed.
    pub(crate) written: Written,
}

/// What running one member came to.
pub(crate) enum Ran {
    /// It stands in the open transaction, or was undone to its savepoint.
    Kept(Stored<()>, Written),
    /// The whole transaction is lost.
    Lost(StoreError),
    /// The closure panicked; the transaction must not go on.
    Panicked(Box<dyn Any + Send>),
}

/// The connection and the open group.
pub(crate) struct Group {
    path: PathBuf,
    limits: Limits,
    closing: Closing,
    connection: Option<AnyConnection>,
    /// When the open transaction was begun.
    begun: Option<Duration>,
    /// Since when the lock was taken again and again without a pause.
    busy: Option<Duration>,
    /// When the lock was last let go.
    free: Option<Duration>,
    /// Those who have run in the open transaction.
    pub(crate) members: Vec<Member>,
}

impl Group {
    /// No connection yet and nobody in the group.
    pub(crate) fn new(path: PathBuf, limits: &Limits, closing: Closing) -> Self {
        Self {
            path,
            limits: *limits,
            closing,
            connection: None,
            begun: None,
            busy: None,
            free: None,
            members: Vec::new(),
        }
    }

    /// Whether a transaction is open.
    pub(crate) fn is_open(&self) -> bool {
        self.begun.is_some()
    }

    /// Whether nobody more may join.
    pub(crate) fn is_full(&self) -> bool {
        self.members.len() >= self.closing.members || self.begun.is_some_and(|begun| since(begun) >= self.closing.span)
    }

    /// Opens a transaction where none is open, waiting for the lock until the deadline.
    pub(crate) fn open(&mut self, deadline: &Deadline) -> Stored<()> {
        if self.is_open() {
            return Ok(());
        }
        self.pause();
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => AnyConnection::Sqlite(
                sqlite::writing(&self.path, self.limits.deadline.min(deadline.left()), self.limits.pages_written())
                    .map_err(|error| StoreError::Unavailable(error.to_string()))?,
            ),
        };
        loop {
            match begin(&mut connection).map_err(classify) {
                Ok(()) => break,
                Err(StoreError::Unavailable(say)) if say == LOCKED => {
                    self.busy = None;
                    if deadline.passed() {
                        self.connection = Some(connection);
                        return Err(StoreError::Unavailable("another process holds the write lock".to_owned()));
                    }
                    std::thread::sleep(POLL.min(deadline.left()));
                }
                // The connection is not kept: the next one may fare better.
                Err(StoreError::Conflict(say)) => return Err(StoreError::Unavailable(say)),
                Err(error) => return Err(error),
            }
        }
        let begun = now();
        self.connection = Some(connection);
        self.begun = Some(begun);
        self.busy = self.busy.or(Some(begun));
        Ok(())
    }

    /// Lets another process have its turn where this one has had the lock for long.
    fn pause(&mut self) {
        let (Some(busy), Some(free)) = (self.busy, self.free) else { return };
        let now = now();
        let rested = now.saturating_sub(free);
        if rested < PAUSE {
            if now.saturating_sub(busy) < HOLD {
                return;
            }
            std::thread::sleep(PAUSE.saturating_sub(rested));
        }
        self.busy = None;
    }

    /// Runs one member in a savepoint of its own, on the calling thread.
    pub(crate) fn run(&mut self, number: Number, work: &mut Job<'_>) -> Ran {
        let Some(connection) = &mut self.connection else {
            return Ran::Lost(StoreError::Fault("no transaction is open".to_owned()));
        };
        if let Err(error) = execute(connection, "SAVEPOINT member") {
            return Ran::Lost(classify(error));
        }
        let mut written = Written::default();
        let outcome = {
            let _inside = number.enter();
            catch_unwind(AssertUnwindSafe(|| work(&mut Transaction::new(connection, &mut written, Mode::Write))))
        };
        match outcome {
            Err(panic) => Ran::Panicked(panic),
            Ok(Ok(())) => match execute(connection, "RELEASE member") {
                Ok(()) => Ran::Kept(Ok(()), written),
                Err(error) => Ran::Lost(classify(error)),
            },
            // On a full disk, an I/O error or no memory SQLite has undone the whole transaction, and the savepoint is gone.
            Ok(Err(error)) => match connection.batch_execute("ROLLBACK TO member; RELEASE member") {
                Ok(()) => Ran::Kept(Err(error), Written::default()),
                Err(_) => Ran::Lost(error),
            },
        }
    }

    /// Commits the open transaction. Where that fails the connection is thrown away and nobody was committed.
    pub(crate) fn commit(&mut self) -> Stored<()> {
        let Some(connection) = &mut self.connection else {
            return Err(StoreError::Fault("no transaction is open".to_owned()));
        };
        let committed = Manager::commit_transaction(connection).map_err(classify);
        self.ended();
        if committed.is_err() {
            self.throw_away();
        }
        committed
    }

    /// Brings the write-ahead log into the database and empties it, and closes the connection.
    pub(crate) fn close(&mut self) -> Stored<()> {
        if let Some(connection) = &mut self.connection {
            connection.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)").map_err(classify)?;
        }
        self.throw_away();
        Ok(())
    }

    /// Throws the connection away and the open transaction with it.
    pub(crate) fn throw_away(&mut self) {
        self.ended();
        if let Some(connection) = self.connection.take() {
            // diesel panics where SQLite will not close; nothing of ours depends on that.
            if catch_unwind(AssertUnwindSafe(|| drop(connection))).is_err() {
                tracing::error!("a connection of SQLite could not be closed");
            }
        }
    }

    fn ended(&mut self) {
        self.begun = None;
        self.free = Some(now());
    }
}

/// Runs a statement that every member runs: its prepared form is kept.
fn execute(connection: &mut AnyConnection, statement: &'static str) -> diesel::QueryResult<()> {
    connection.execute_returning_count(&Statement::new(statement, [])).map(drop)
}

/// What `failure` says of a lock that another connection holds.
const LOCKED: &str = "the database is locked";

fn begin(connection: &mut AnyConnection) -> diesel::QueryResult<()> {
    match connection {
        AnyConnection::Sqlite(connection) => {
            AnsiTransactionManager::begin_transaction_sql(connection, "BEGIN IMMEDIATE")
        }
        AnyConnection::Postgres(_) => Err(diesel::result::Error::NotInTransaction),
    }
}

#[cfg(test)]
mod tests;
