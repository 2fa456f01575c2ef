//! What is SQLite's own: how its file is made, how a connection is made ready for reading or for writing.

pub(crate) mod group;
pub(crate) mod turn;
pub(crate) mod writer;

use std::io;
use std::path::Path;
use std::time::Duration;

use diesel::SqliteConnection;
use diesel::connection::{Connection, SimpleConnection};

use crate::connection::AnyConnection;
use crate::database::Limits;
use crate::deadline::Deadline;
use crate::pool::{ConnectFailure, Open};

/// Makes the file where there is none, for the eyes of its owner only; SQLite gives its companions (-wal, -shm) the same mode.
pub(crate) fn make(path: &Path) -> io::Result<()> {
    match make_new(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}

/// Makes a file that is not there yet, for the eyes of its owner only.
pub(crate) fn make_new(path: &Path) -> io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

/// A connection that writes. It does not wait for a lock by itself: whoever writes asks again until the own deadline.
pub(crate) fn writing(path: &Path, patience: Duration) -> Result<SqliteConnection, ConnectFailure> {
    let mut connection = plain(path, patience)?;
    setup(&mut connection, "PRAGMA journal_mode = WAL")?;
    setup(&mut connection, "PRAGMA synchronous = FULL")?;
    setup(&mut connection, "PRAGMA foreign_keys = ON")?;
    setup(&mut connection, "PRAGMA journal_size_limit = 67108864")?;
    setup(&mut connection, "PRAGMA busy_timeout = 0")?;
    Ok(connection)
}

/// A connection as SQLite gives it, patient with locks, for backups and migrations.
pub(crate) fn plain(path: &Path, patience: Duration) -> Result<SqliteConnection, ConnectFailure> {
    let name = path.to_str().ok_or_else(|| ConnectFailure("the path of the database is not valid UTF-8".to_owned()))?;
    let mut connection = SqliteConnection::establish(name)
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
    let (path, patience) = (path.to_owned(), limits.deadline);
    Box::new(move || {
        let mut connection = plain(&path, patience)?;
        setup(&mut connection, "PRAGMA query_only = ON")?;
        Ok(AnyConnection::Sqlite(connection))
    })
}

/// The statements that begin a reading. A reader waits for nobody but a process that mends the file after a crash.
pub(crate) fn begin_reading(deadline: &Deadline) -> String {
    format!("PRAGMA busy_timeout = {}; BEGIN", deadline.left().as_millis().max(1))
}
