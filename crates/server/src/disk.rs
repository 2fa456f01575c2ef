//! The disk that the server writes to.

use std::io;
use std::path::{Path, PathBuf};

use tillgate_persistence::Address;

use crate::configuration::Settings;

/// The folder of the SQLite database; with PostgreSQL, the data folder.
pub(crate) fn data_folder(settings: &Settings) -> PathBuf {
    match settings.database_address() {
        Ok(Address::Sqlite(path)) => path.parent().map_or_else(|| settings.server.data.clone(), Path::to_owned),
        _ => settings.server.data.clone(),
    }
}

/// The number of bytes that this process can still write there.
#[cfg(unix)]
pub(crate) fn free_bytes(folder: &Path) -> io::Result<u64> {
    let found = rustix::fs::statvfs(folder)?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}

/// Whether this process cannot write to a file or to its folder, in which SQLite creates further
/// files.
#[cfg(unix)]
pub(crate) fn is_read_only(file: &Path) -> bool {
    let closed = |path: &Path| path.exists() && rustix::fs::access(path, rustix::fs::Access::WRITE_OK).is_err();
    closed(file) || file.parent().is_some_and(closed)
}

/// Whether this process cannot write to a file; unknown on this system.
#[cfg(not(unix))]
pub(crate) fn is_read_only(_file: &Path) -> bool {
    false
}

/// The number of bytes that this process can still write; unknown on this system.
#[cfg(not(unix))]
pub(crate) fn free_bytes(_folder: &Path) -> io::Result<u64> {
    Err(io::ErrorKind::Unsupported.into())
}
