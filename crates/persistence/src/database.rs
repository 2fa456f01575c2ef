//! An open database: runs units of work on it, and notifies the observers of what was committed.
//! The modules `sqlite` and `postgres` contain what is specific to each.

mod address;
mod limits;
pub(crate) mod nesting;
pub(crate) mod observers;
mod unit_report;
pub(crate) mod wait_queue;
mod write_health;

use std::sync::Arc;
use std::time::Duration;

use tillgate_domain::change::Observer;
use tillgate_domain::{Mode, StoreError, StoreResult, UnitOfWork};

pub(crate) use address::redact_message;
pub use address::{Address, InvalidAddress};
pub use limits::Limits;
pub use unit_report::UnitReport;

use crate::deadline::{elapsed_since, monotonic_now};
use crate::error_class::UnitError;
use crate::pool::{ConnectFailure, Pool};
use crate::sqlite::file::OpenedFile;
use crate::sqlite::group::{Group, GroupLimits};
use crate::sqlite::writer::Writer;
use crate::transaction::TransactionWork;
use crate::{pooled, postgres, sqlite};
use nesting::DatabaseNumber;
use observers::Observers;
use unit_report::UnitObserver;
use wait_queue::WaitQueue;
use write_health::WriteHealth;

/// Why a database cannot be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The file cannot be created or opened.
    #[error("the database {path} cannot be opened: {detail}")]
    File {
        /// The path of the file.
        path: String,
        /// The error message of the system.
        detail: String,
    },
    /// The server cannot be reached or rejects the connection.
    #[error("the database {address} cannot be reached: {detail}")]
    Unreachable {
        /// The address of the server, without a password.
        address: String,
        /// The error message of the server.
        detail: String,
    },
    /// The address is one that libpq does not accept, whether or not the server can be reached.
    #[error("{detail}")]
    Address {
        /// The error message of libpq, without a password.
        detail: String,
    },
}

/// The load of a database, for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DatabaseLoad {
    /// Connections of the pool that are used by units of work.
    pub busy: u32,
    /// Idle connections of the pool.
    pub idle: u32,
    /// Units of work that wait for a connection or for their turn to write.
    pub waiting: usize,
    /// Committed groups since the start; zero on PostgreSQL, which has none.
    pub groups: u64,
    /// Units of work that were committed in these groups.
    pub grouped_units: u64,
    /// The limit of the page caches of SQLite's open connections in bytes; `None` on PostgreSQL.
    pub page_cache_bytes: Option<u64>,
}

/// How long the drop of a database waits until the readers of SQLite are closed.
const SQLITE_CLOSE_TIMEOUT: Duration = Duration::from_secs(10);

/// An open database on SQLite or PostgreSQL. When it is dropped, the writer of SQLite is closed
/// last. If no other process has the file open, that moves the write-ahead log into it, and the
/// file alone is the database.
pub struct Database {
    pub(crate) address: Address,
    pub(crate) limits: Limits,
    number: DatabaseNumber,
    /// Dropped before the writer.
    pool: Pool,
    /// SQLite's writer; PostgreSQL writes through the pool.
    writer: Option<Writer>,
    /// SQLite's file.
    file: Option<Arc<OpenedFile>>,
    wait_queue: Arc<WaitQueue>,
    observers: Arc<Observers>,
    pub(crate) write_health: WriteHealth,
    unit_observer: UnitObserver,
}

impl Database {
    /// Opens the database, and creates the file of SQLite if it does not exist (its folder must
    /// exist). Tables are neither checked nor created: see [`migrate`](Self::migrate).
    ///
    /// # Errors
    ///
    /// See [`OpenError`].
    pub fn create(address: &Address, limits: &Limits) -> Result<Self, OpenError> {
        if let Address::Sqlite(path) = address {
            sqlite::file::create_if_missing(path).map_err(|error| file_open_error(path, &error))?;
        }
        Self::open(address, limits)
    }

    /// Opens an existing database; a file of SQLite is never created, see [`create`](Self::create).
    /// Tables are not checked.
    ///
    /// # Errors
    ///
    /// See [`OpenError`].
    pub fn open(address: &Address, limits: &Limits) -> Result<Self, OpenError> {
        Self::open_with_group_limits(address, limits, GroupLimits::default())
    }

    /// Opens the database with other limits for groups.
    pub(crate) fn open_with_group_limits(
        address: &Address,
        limits: &Limits,
        closing: GroupLimits,
    ) -> Result<Self, OpenError> {
        let number = DatabaseNumber::new();
        let waiting = Arc::new(WaitQueue::new(limits.waiting));
        let observers = Arc::new(Observers::default());
        let (open, writer, file) = match address {
            Address::Sqlite(path) => {
                let file = Arc::new(OpenedFile::open(path).map_err(|error| file_open_error(path, &error))?);
                // This puts a new file into WAL mode, which its readers require.
                sqlite::connect_writer(path, limits.deadline, limits.writer_page_bytes())
                    .map_err(|error| file_open_error(path, &error))?;
                let group = Group::new(Arc::clone(&file), limits, closing);
                let writer = Writer::new(group, number, Arc::clone(&waiting), Arc::clone(&observers));
                (sqlite::reader_opener(path, limits), Some(writer), Some(file))
            }
            Address::Postgres(url) => (postgres::connection_opener(url, limits), None, None),
        };
        open().map_err(|ConnectFailure(detail)| {
            if let Some(why) = postgres::find_address_error(&detail) {
                OpenError::Address { detail: why.to_owned() }
            } else {
                OpenError::Unreachable { address: address.to_string(), detail }
            }
        })?;
        let close_timeout = if writer.is_some() { SQLITE_CLOSE_TIMEOUT } else { Duration::ZERO };
        let pool = Pool::new(limits, open, Arc::clone(&waiting), close_timeout);
        let writes = WriteHealth::default();
        Ok(Self {
            address: address.clone(),
            limits: *limits,
            number,
            pool,
            writer,
            file,
            wait_queue: waiting,
            observers,
            write_health: writes,
            unit_observer: UnitObserver::default(),
        })
    }

    /// Registers an observer, which is notified of changes after their commit and before `run`
    /// returns.
    pub fn observe(&self, observer: Arc<dyn Observer>) {
        self.observers.add(observer);
    }

    /// From now on calls `observer` at the end of every unit of work, on the thread that ran it.
    /// Returns `false` and does nothing if the database has an observer of units already.
    pub fn observe_units(&self, observer: impl Fn(&UnitReport) + Send + Sync + 'static) -> bool {
        self.unit_observer.set(observer)
    }

    /// The current load.
    pub fn load(&self) -> DatabaseLoad {
        let (busy, idle) = self.pool.connection_counts();
        let (groups, grouped) = self.writer.as_ref().map(Writer::commit_counts).unwrap_or_default();
        let read = self.limits.reader_page_bytes().saturating_mul(u64::from(busy.saturating_add(idle)));
        let pages = self.writer.as_ref().map(|_| read.saturating_add(self.limits.writer_page_bytes()));
        DatabaseLoad {
            busy,
            idle,
            waiting: self.wait_queue.count(),
            groups,
            grouped_units: grouped,
            page_cache_bytes: pages,
        }
    }

    /// Writes everything that was committed to the SQLite file itself and empties the write-ahead
    /// log, for the end of a server: then the file alone is the database. Units of work may still
    /// run. On PostgreSQL it does nothing.
    ///
    /// # Errors
    ///
    /// If the file was replaced, or another process holds the lock until the deadline.
    pub fn close(&self) -> StoreResult<()> {
        let (Some(writer), Some(file)) = (&self.writer, &self.file) else { return Ok(()) };
        // if the log was removed, the writer still has it open
        file.check_file_unchanged()?;
        writer.checkpoint_wal(&crate::deadline::Deadline::after(self.limits.deadline))
    }

    /// Runs a unit of work; see the promises of [`tillgate_domain::work`].
    pub(crate) fn run_unit(&self, unit: UnitOfWork, work: TransactionWork<'_>) -> StoreResult<()> {
        let _span = tracing::debug_span!("unit_of_work", name = unit.name).entered();
        let start = monotonic_now();
        let (mut runs, mut wrote) = (0, false);
        let outcome = match self.check_takes(unit.mode) {
            Ok(()) => {
                let outcome = self.run_unobserved(unit.mode, &mut |tx| {
                    runs += 1;
                    let done = work(tx);
                    wrote = tx.has_written();
                    done
                });
                if unit.mode == Mode::Write {
                    self.write_health.record_outcome(&outcome, wrote);
                }
                outcome.map_err(|failed| failed.error)
            }
            Err(error) => Err(error),
        };
        self.unit_observer.notify(|| UnitReport {
            name: unit.name,
            outcome: outcome.as_ref().err().map_or("ok", StoreError::kind),
            runs,
            duration: elapsed_since(start),
        });
        outcome
    }

    /// Fails if a unit of work of this mode must not run.
    fn check_takes(&self, mode: Mode) -> StoreResult<()> {
        if mode == Mode::Write { self.write_health.check() } else { Ok(()) }
    }

    /// Runs a unit of work without recording whether the database accepts writes.
    fn run_unobserved(&self, mode: Mode, work: TransactionWork<'_>) -> Result<(), UnitError> {
        self.number.check_not_nested()?;
        if let Some(file) = &self.file {
            file.check_unchanged()?;
        }
        let deadline = crate::deadline::Deadline::after(self.limits.deadline);
        if let (Some(writer), Mode::Write) = (&self.writer, mode) {
            return writer.run(&deadline, work);
        }
        let written = pooled::run_unit(&self.pool, self.number, mode, &deadline, work)?;
        self.observers.notify(&written);
        Ok(())
    }
}

fn file_open_error(path: &std::path::Path, error: &dyn std::error::Error) -> OpenError {
    OpenError::File { path: path.display().to_string(), detail: error.to_string() }
}

#[cfg(test)]
mod tests;
