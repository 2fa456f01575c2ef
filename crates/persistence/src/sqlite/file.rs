//! The file of a SQLite database: creates it, and detects whether it has been replaced.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

use tillgate_domain::{StoreError, StoreResult};

/// Creates the file if it does not exist, readable by its owner only. SQLite gives its companions
/// (-wal, -shm) the same mode.
pub(crate) fn create_if_missing(path: &Path) -> io::Result<()> {
    match create_new(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}

/// Creates a file that must not exist, readable by its owner only.
pub(crate) fn create_new(path: &Path) -> io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

/// The URI with which SQLite opens the file and never creates one (<https://sqlite.org/uri.html>).
pub(crate) fn sqlite_uri(path: &Path) -> Option<String> {
    let encoded = path.to_str()?.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    Some(format!("file:{encoded}?mode=rw"))
}

/// The ends of the paths of the write-ahead log and its index.
const LOG_SUFFIXES: [&str; 2] = ["-wal", "-shm"];

/// An opened file. If somebody removes or replaces it, the path refers to another file, while open
/// connections would continue with the old one, and what they commit would be lost. The same is
/// true of its write-ahead log: new connections would not see what it contains.
pub(crate) struct OpenedFile {
    path: PathBuf,
    identity: FileIdentity,
    /// The files of the write-ahead log, while the writer has them open: SQLite removes them with
    /// the last connection only.
    log: RwLock<Vec<(PathBuf, FileIdentity)>>,
}

impl OpenedFile {
    /// The file that is at the path now.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), identity: FileIdentity::read(path)?, log: RwLock::default() })
    }

    /// The path of the file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Remembers the files of the write-ahead log, which the writer has open, until they are
    /// forgotten. SQLite creates them beside the file to which symbolic links lead.
    pub(crate) fn remember_log(&self) {
        if !self.log.read().unwrap_or_else(PoisonError::into_inner).is_empty() {
            return;
        }
        let base = std::fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        let companion = |suffix: &str| {
            let mut path = base.clone().into_os_string();
            path.push(suffix);
            let identity = FileIdentity::read(path.as_ref()).ok()?;
            Some((PathBuf::from(path), identity))
        };
        *self.log.write().unwrap_or_else(PoisonError::into_inner) =
            LOG_SUFFIXES.into_iter().filter_map(companion).collect();
    }

    /// Forgets the files of the write-ahead log, before the writer closes them.
    pub(crate) fn forget_log(&self) {
        self.log.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Fails unless the path still refers to this file, and its write-ahead log is the one that the
    /// writer has opened.
    pub(crate) fn check_unchanged(&self) -> StoreResult<()> {
        self.check_file_unchanged()?;
        let log = self.log.read().unwrap_or_else(PoisonError::into_inner);
        match log.iter().find(|(path, identity)| !FileIdentity::read(path).is_ok_and(|now| now == *identity)) {
            Some((path, _)) => Err(StoreError::Unavailable(format!(
                "{} was removed or replaced since it was opened: stop the server, which then writes what it has \
                 committed to the database, and start it again",
                path.display()
            ))),
            None => Ok(()),
        }
    }

    /// Fails unless the path still refers to this file.
    pub(crate) fn check_file_unchanged(&self) -> StoreResult<()> {
        match FileIdentity::read(&self.path) {
            Ok(identity) if identity == self.identity => Ok(()),
            Ok(_) => Err(self.lost_error("was replaced by another file")),
            Err(error) => Err(self.lost_error(&format!("cannot be found any more ({error})"))),
        }
    }

    fn lost_error(&self, how: &str) -> StoreError {
        StoreError::Unavailable(format!(
            "the database {} {how} since it was opened: put it back, or restart the server on the file that is there now",
            self.path.display()
        ))
    }
}

/// Identifies a file by its device and inode.
#[cfg(unix)]
#[derive(PartialEq, Eq)]
struct FileIdentity(u64, u64);

#[cfg(unix)]
impl FileIdentity {
    fn read(path: &Path) -> io::Result<Self> {
        use std::os::unix::fs::MetadataExt as _;
        let found = std::fs::metadata(path)?;
        Ok(Self(found.dev(), found.ino()))
    }
}

/// Without inodes, only the existence of the file can be checked.
#[cfg(not(unix))]
#[derive(PartialEq, Eq)]
struct FileIdentity;

#[cfg(not(unix))]
impl FileIdentity {
    fn read(path: &Path) -> io::Result<Self> {
        std::fs::metadata(path).map(|_| Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::DatabaseFolder;

    #[test]
    fn replaced_file_is_detected() {
        let folder = DatabaseFolder::new();
        let (path, other) = (folder.0.join("till.db"), folder.0.join("other.db"));
        assert!(OpenedFile::open(&path).is_err());
        create_if_missing(&path).unwrap();
        let opened = OpenedFile::open(&path).unwrap();
        std::fs::write(&path, "written to").unwrap();
        opened.check_unchanged().unwrap();
        std::fs::copy(&path, &other).unwrap();
        std::fs::rename(&path, folder.0.join("kept.db")).unwrap();
        let error = opened.check_unchanged().unwrap_err();
        assert!(error.to_string().contains("cannot be found"), "{error}");
        std::fs::rename(&other, &path).unwrap();
        let error = opened.check_unchanged().unwrap_err();
        assert!(error.to_string().contains("was replaced"), "{error}");
        std::fs::rename(folder.0.join("kept.db"), &path).unwrap();
        opened.check_unchanged().unwrap();
    }

    #[test]
    fn any_path_is_opened_and_none_created() {
        use diesel::Connection as _;
        let folder = DatabaseFolder::new();
        for name in ["plain.db", "100%.db", "a%20b.db", "what?.db", "no#1.db", "Žofia's till.db"] {
            let path = folder.0.join(name);
            let address = sqlite_uri(&path).unwrap();
            assert!(diesel::SqliteConnection::establish(&address).is_err(), "{name} was created");
            create_if_missing(&path).unwrap();
            let mut connection = diesel::SqliteConnection::establish(&address).unwrap();
            diesel::connection::SimpleConnection::batch_execute(&mut connection, "CREATE TABLE t (a)").unwrap();
            assert!(std::fs::metadata(&path).unwrap().len() > 0, "{name}");
        }
        assert_eq!(std::fs::read_dir(&folder.0).unwrap().count(), 6);
    }
}
