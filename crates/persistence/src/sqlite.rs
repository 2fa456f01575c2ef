//! What is specific to SQLite: the setup of connections that read or write. The module `file`
//! creates the database file.

pub(crate) mod file;
pub(crate) mod group;
pub(crate) mod waiter;
pub(crate) mod writer;

use std::path::Path;
use std::time::Duration;

use diesel::SqliteConnection;
use diesel::connection::{Connection, SimpleConnection};

use crate::connection::AnyConnection;
use crate::database::Limits;
use crate::deadline::Deadline;
use crate::error_class::{Cause, cause};
use crate::pool::{ConnectFailure, ConnectFn};

/// Opens a connection that writes. It does not wait for a lock by itself: the caller repeats the
/// attempt until its own deadline.
pub(crate) fn connect_writer(path: &Path, patience: Duration, pages: u64) -> Result<SqliteConnection, ConnectFailure> {
    let mut connection = connect_plain(path, patience)?;
    set_cache_size(&mut connection, pages)?;
    enable_wal(&mut connection, patience)?;
    execute_setup(&mut connection, "PRAGMA synchronous = FULL")?;
    execute_setup(&mut connection, "PRAGMA foreign_keys = ON")?;
    execute_setup(&mut connection, "PRAGMA journal_size_limit = 67108864")?;
    execute_setup(&mut connection, "PRAGMA busy_timeout = 0")?;
    Ok(connection)
}

/// Limits the page cache of a connection, in bytes. SQLite uses at least ten pages.
fn set_cache_size(connection: &mut SqliteConnection, pages: u64) -> Result<(), ConnectFailure> {
    execute_setup(connection, &format!("PRAGMA cache_size = -{}", (pages / 1024).max(40)))
}

/// How often the journal mode is requested again while another process changes it.
const WAL_POLL_INTERVAL: Duration = Duration::from_millis(2);

const ENABLE_WAL: &str = "PRAGMA journal_mode = WAL";

/// Puts the database into WAL mode. While another process does the same to a new file, SQLite
/// reports "locked" for this pragma at once, whatever the time-out, so it is requested again until
/// `patience` has passed.
fn enable_wal(connection: &mut SqliteConnection, patience: Duration) -> Result<(), ConnectFailure> {
    let deadline = Deadline::after(patience);
    loop {
        match connection.batch_execute(ENABLE_WAL) {
            Err(error) if cause(&error) == Cause::Locked && !deadline.has_passed() => {
                tracing::debug!(%error, "the mode of the log is set again");
            }
            other => return other.map_err(|error| ConnectFailure(error.to_string())),
        }
        std::thread::sleep(WAL_POLL_INTERVAL.min(deadline.remaining()));
    }
}

/// Opens a connection that waits for locks, for backups and migrations. It never creates a file.
pub(crate) fn connect_plain(path: &Path, patience: Duration) -> Result<SqliteConnection, ConnectFailure> {
    let name = file::sqlite_uri(path)
        .ok_or_else(|| ConnectFailure("the path of the database is not valid UTF-8".to_owned()))?;
    let mut connection = SqliteConnection::establish(&name).map_err(|error| ConnectFailure(error.to_string()))?;
    execute_setup(&mut connection, &format!("PRAGMA busy_timeout = {}", patience.as_millis()))?;
    execute_setup(&mut connection, "PRAGMA trusted_schema = OFF")?;
    Ok(connection)
}

fn execute_setup(connection: &mut SqliteConnection, statement: &str) -> Result<(), ConnectFailure> {
    connection.batch_execute(statement).map_err(|error| ConnectFailure(error.to_string()))
}

/// Returns the function that opens connections which can only read.
pub(crate) fn reader_opener(path: &Path, limits: &Limits) -> ConnectFn {
    let (path, patience, pages) = (path.to_owned(), limits.deadline, limits.reader_page_bytes());
    Box::new(move || {
        let mut connection = connect_plain(&path, patience)?;
        set_cache_size(&mut connection, pages)?;
        execute_setup(&mut connection, "PRAGMA query_only = ON")?;
        Ok(AnyConnection::Sqlite(connection))
    })
}

/// The statements that begin a transaction that reads. A reader waits only for a process that
/// recovers the file after a crash.
pub(crate) fn begin_read_sql(deadline: &Deadline) -> String {
    format!("PRAGMA busy_timeout = {}; BEGIN", deadline.remaining().as_millis().max(1))
}
