//! What is SQLite's own: how a connection is made ready for reading or for writing. How its file is made stands in `file`.

pub(crate) mod file;
pub(crate) mod group;
pub(crate) mod turn;
pub(crate) mod writer;

use std::path::Path;
use std::time::Duration;

use diesel::SqliteConnection;
use diesel::connection::{Connection, SimpleConnection};

use crate::connection::AnyConnection;
use crate::database::Limits;
use crate::deadline::Deadline;
use crate::pool::{ConnectFailure, Open};

/// A connection that writes. It does not wait for a lock by itself: whoever writes asks again until the own deadline.
pub(crate) fn writing(path: &Path, patience: Duration, pages: u64) -> Result<SqliteConnection, ConnectFailure> {
    let mut connection = plain(path, patience)?;
    keep_pages(&mut connection, pages)?;
    write_ahead(&mut connection, patience)?;
    setup(&mut connection, "PRAGMA synchronous = FULL")?;
    setup(&mut connection, "PRAGMA foreign_keys = ON")?;
    setup(&mut connection, "PRAGMA journal_size_limit = 67108864")?;
    setup(&mut connection, "PRAGMA busy_timeout = 0")?;
    Ok(connection)
}

/// Bounds the pages that a connection keeps in memory, in bytes. SQLite takes no fewer than ten pages.
fn keep_pages(connection: &mut SqliteConnection, pages: u64) -> Result<(), ConnectFailure> {
    setup(connection, &format!("PRAGMA cache_size = -{}", (pages / 1024).max(40)))
}

/// How often the mode of the log is asked for while another process changes it.
const POLL: Duration = Duration::from_millis(2);

/// Puts the database into WAL mode. SQLite answers "locked" to this pragma at once, whatever its time-out, while another process
/// does the same to a new file: then it is asked again until `patience` is over.
fn write_ahead(connection: &mut SqliteConnection, patience: Duration) -> Result<(), ConnectFailure> {
    let deadline = Deadline::after(patience);
    loop {
        let failure = match setup(connection, "PRAGMA journal_mode = WAL") {
            Err(failure) if failure.0.contains("locked") && !deadline.passed() => failure,
            other => return other,
        };
        tracing::debug!(%failure, "asked again");
        std::thread::sleep(POLL.min(deadline.left()));
    }
}

/// A connection as SQLite gives it, patient with locks, for backups and migrations. It never creates a file.
pub(crate) fn plain(path: &Path, patience: Duration) -> Result<SqliteConnection, ConnectFailure> {
    let name =
        file::uri(path).ok_or_else(|| ConnectFailure("the path of the database is not valid UTF-8".to_owned()))?;
    let mut connection = SqliteConnection::establish(&name)
        .map_err(|error| ConnectFailure(format!("{} cannot be opened: {error}", path.display())))?;
    setup(&mut connection, &format!("PRAGMA busy_timeout = {}", patience.as_millis()))?;
    setup(&mut connection, "PRAGMA trusted_schema = OFF")?;
    Ok(connection)
}

fn setup(connection: &mut SqliteConnection, statement: &str) -> Result<(), ConnectFailure> {
    connection.batch_execute(statement).map_err(|error| ConnectFailure(format!("{statement}: {error}")))
}

/// Opens connections that read and can do nothing else.
pub(crate) fn opener(path: &Path, limits: &Limits) -> Open {
    let (path, patience, pages) = (path.to_owned(), limits.deadline, limits.pages_read());
    Box::new(move || {
        let mut connection = plain(&path, patience)?;
        keep_pages(&mut connection, pages)?;
        setup(&mut connection, "PRAGMA query_only = ON")?;
        Ok(AnyConnection::Sqlite(connection))
    })
}

/// The statements that begin a reading. A reader waits for nobody but a process that mends the file after a crash.
pub(crate) fn begin_reading(deadline: &Deadline) -> String {
    format!("PRAGMA busy_timeout = {}; BEGIN", deadline.left().as_millis().max(1))
}
