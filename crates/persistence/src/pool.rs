//! A pool of connections to either database. A connection is not checked when it is taken out,
//! which would cost every unit of work a round trip; a connection that failed is discarded when it
//! is returned.

mod outage;

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use diesel::connection::{Connection, InstrumentationEvent, get_default_instrumentation};
use tillgate_domain::{StoreError, StoreResult};

use crate::connection::AnyConnection;
use crate::database::Limits;
use crate::database::wait_queue::WaitQueue;
use crate::deadline::Deadline;
use outage::Outage;

/// Opens connections that are ready for use.
pub(crate) type ConnectFn = Box<dyn Fn() -> Result<AnyConnection, ConnectFailure> + Send + Sync>;

/// Why no connection could be opened.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct ConnectFailure(pub(crate) String);

/// A connection of the pool.
pub(crate) struct PoolConnection {
    /// The connection to the database.
    pub(crate) connection: AnyConnection,
    /// Set during a unit of work, and still set if it did not end properly: then the connection is
    /// discarded.
    pub(crate) is_broken: bool,
    /// Whether a statement has failed on this connection.
    pub(crate) statement_failure: StatementFailureFlag,
    /// Dropped after `connection`.
    _open: OpenMark,
}

/// Exists as long as a connection, or the pool that could open one.
type OpenMark = Sender<Infallible>;

/// Whether a statement has failed on a connection since the last check.
#[derive(Clone, Default)]
pub(crate) struct StatementFailureFlag(Arc<AtomicBool>);

impl StatementFailureFlag {
    /// Returns the flag and resets it.
    pub(crate) fn take(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }
}

/// Opens connections for the pool and recognizes broken ones.
pub(crate) struct ConnectionManager {
    open: ConnectFn,
    open_mark: OpenMark,
    outage: Arc<Outage>,
}

impl r2d2::ManageConnection for ConnectionManager {
    type Connection = PoolConnection;
    type Error = ConnectFailure;

    fn connect(&self) -> Result<PoolConnection, ConnectFailure> {
        let mut connection = (self.open)()?;
        self.outage.log_success();
        let statement_failure = StatementFailureFlag::default();
        let failure_seen = statement_failure.clone();
        // passes the events on to the process's default instrumentation
        let mut watching = get_default_instrumentation();
        connection.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            if let InstrumentationEvent::FinishQuery { error: Some(_), .. } = event {
                failure_seen.0.store(true, Ordering::Relaxed);
            }
            if let Some(watching) = &mut watching {
                watching.on_connection_event(event);
            }
        });
        Ok(PoolConnection { connection, is_broken: false, statement_failure, _open: self.open_mark.clone() })
    }

    fn is_valid(&self, _: &mut PoolConnection) -> Result<(), ConnectFailure> {
        Ok(())
    }

    fn has_broken(&self, pooled: &mut PoolConnection) -> bool {
        pooled.is_broken
    }
}

/// Logs outages. Callers that wait for a connection receive the error of each failed attempt too.
#[derive(Debug)]
struct ConnectFailureLogger(Arc<Outage>);

impl r2d2::HandleError<ConnectFailure> for ConnectFailureLogger {
    fn handle_error(&self, error: ConnectFailure) {
        self.0.log_failure(&error);
    }
}

/// Waits when it is dropped until every connection is closed, at most for `timeout`.
struct CloseWait {
    timeout: Duration,
    open_marks: Mutex<Receiver<Infallible>>,
}

impl Drop for CloseWait {
    fn drop(&mut self) {
        let marks = self.open_marks.get_mut().unwrap_or_else(PoisonError::into_inner);
        // nothing is ever sent: it ends when the last mark is dropped
        let _ = marks.recv_timeout(self.timeout);
    }
}

/// A pool of connections. Its drop waits until they are closed: r2d2 opens spare connections on
/// threads of its own, which may still be at it.
pub(crate) struct Pool {
    connections: r2d2::Pool<ConnectionManager>,
    wait_queue: Arc<WaitQueue>,
    /// Dropped after `connections`.
    _close_wait: CloseWait,
}

impl Pool {
    /// A pool that opens connections on demand and closes those that have been idle for a while,
    /// since each keeps pages and prepared statements. Its drop waits for at most `close_timeout`.
    pub(crate) fn new(limits: &Limits, open: ConnectFn, waiting: Arc<WaitQueue>, close_timeout: Duration) -> Self {
        let patience = limits.deadline;
        let (open_mark, open_marks) = channel();
        let outage = Arc::new(Outage::default());
        let pool = r2d2::Pool::builder()
            .max_size(limits.connections.max(1))
            .min_idle(Some(1))
            .max_lifetime(None)
            .idle_timeout(Some(limits.idle.max(Duration::from_secs(1))))
            .test_on_check_out(false)
            .connection_timeout(patience.max(Duration::from_millis(1)))
            .error_handler(Box::new(ConnectFailureLogger(Arc::clone(&outage))))
            .build_unchecked(ConnectionManager { open, open_mark, outage });
        let close_wait = CloseWait { timeout: close_timeout, open_marks: Mutex::new(open_marks) };
        Self { connections: pool, wait_queue: waiting, _close_wait: close_wait }
    }

    /// Takes out a connection, and waits for one until the deadline.
    pub(crate) fn acquire(&self, deadline: &Deadline) -> StoreResult<r2d2::PooledConnection<ConnectionManager>> {
        if let Some(connection) = self.connections.try_get() {
            return Ok(connection);
        }
        let _place = self.wait_queue.enter()?;
        self.connections.get_timeout(deadline.remaining()).map_err(|error| {
            StoreError::Unavailable(format!("no connection to the database became available: {error}"))
        })
    }

    /// The number of connections in use, and of idle ones.
    pub(crate) fn connection_counts(&self) -> (u32, u32) {
        let state = self.connections.state();
        (state.connections.saturating_sub(state.idle_connections), state.idle_connections)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::sqlite;
    use crate::test_support::{DatabaseFolder, insert_till, run_write};

    /// The writer then closes the last connection, with which SQLite empties the log.
    #[test]
    fn drop_waits_for_a_connection_that_is_being_opened() {
        let folder = DatabaseFolder::new();
        let limits = Limits::default();
        let database = folder.database(&limits);
        run_write(&database, |tx| insert_till(tx, 1)).unwrap();
        let (opened, openings) = mpsc::channel();
        let open_reader = sqlite::reader_opener(&folder.0.join("till.db"), &limits);
        let open_slowly: ConnectFn = Box::new(move || {
            let connection = open_reader();
            opened.send(()).unwrap();
            std::thread::sleep(Duration::from_millis(300));
            connection
        });
        let pool = Pool::new(&limits, open_slowly, Arc::new(WaitQueue::new(1)), Duration::from_mins(1));
        openings.recv().unwrap();
        drop(pool);
        drop(database);
        let files: Vec<_> = std::fs::read_dir(&folder.0).unwrap().map(|file| file.unwrap().file_name()).collect();
        assert_eq!(files, ["till.db"]);
    }
}
