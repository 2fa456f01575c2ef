//! The file of a SQLite database: how it is made, and whether it is still the one that was opened.

use std::io;
use std::path::{Path, PathBuf};

use tillgate_domain::{StoreError, Stored};

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

/// The name by which SQLite opens the file and never creates one (<https://sqlite.org/uri.html>).
pub(crate) fn uri(path: &Path) -> Option<String> {
    let encoded = path.to_str()?.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    Some(format!("file:{encoded}?mode=rw"))
}

/// A file that was opened. A path names another file once somebody has removed or replaced the one that was there; the connections
/// that are open would go on in the old one, and what they commit would be lost.
pub(crate) struct OpenedFile {
    path: PathBuf,
    identity: Identity,
}

impl OpenedFile {
    /// The file that is at the path now.
    pub(crate) fn at(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), identity: Identity::of(path)? })
    }

    /// Fails unless the path still names this file.
    pub(crate) fn check(&self) -> Stored<()> {
        match Identity::of(&self.path) {
            Ok(identity) if identity == self.identity => Ok(()),
            Ok(_) => Err(self.lost("was replaced by another file")),
            Err(error) => Err(self.lost(&format!("cannot be found any more ({error})"))),
        }
    }

    fn lost(&self, how: &str) -> StoreError {
        StoreError::Unavailable(format!(
            "the database {} {how} since it was opened: put it back, or restart the server on the file that is there now",
            self.path.display()
        ))
    }
}

/// What tells a file from every other: its device and inode.
#[cfg(unix)]
#[derive(PartialEq, Eq)]
struct Identity(u64, u64);

#[cfg(unix)]
impl Identity {
    fn of(path: &Path) -> io::Result<Self> {
        use std::os::unix::fs::MetadataExt as _;
        let found = std::fs::metadata(path)?;
        Ok(Self(found.dev(), found.ino()))
    }
}

/// Without inodes, whether a file is there is all that can be told.
#[cfg(not(unix))]
#[derive(PartialEq, Eq)]
struct Identity;

#[cfg(not(unix))]
impl Identity {
    fn of(path: &Path) -> io::Result<Self> {
        std::fs::metadata(path).map(|_| Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::Folder;

    #[test]
    fn opened_file_is_told_from_one_that_replaced_it() {
        let folder = Folder::new();
        let (path, other) = (folder.0.join("till.db"), folder.0.join("other.db"));
        assert!(OpenedFile::at(&path).is_err());
        make(&path).unwrap();
        let opened = OpenedFile::at(&path).unwrap();
        std::fs::write(&path, "written to").unwrap();
        opened.check().unwrap();
        std::fs::copy(&path, &other).unwrap();
        std::fs::rename(&path, folder.0.join("kept.db")).unwrap();
        let error = opened.check().unwrap_err();
        assert!(error.to_string().contains("cannot be found"), "{error}");
        std::fs::rename(&other, &path).unwrap();
        let error = opened.check().unwrap_err();
        assert!(error.to_string().contains("was replaced"), "{error}");
        std::fs::rename(folder.0.join("kept.db"), &path).unwrap();
        opened.check().unwrap();
    }

    #[test]
    fn paths_of_any_characters_are_opened_and_none_is_created() {
        use diesel::Connection as _;
        let folder = Folder::new();
        for name in ["plain.db", "100%.db", "a%20b.db", "what?.db", "no#1.db", "Žofia's till.db"] {
            let path = folder.0.join(name);
            let address = uri(&path).unwrap();
            assert!(diesel::SqliteConnection::establish(&address).is_err(), "{name} was created");
            make(&path).unwrap();
            let mut connection = diesel::SqliteConnection::establish(&address).unwrap();
            diesel::connection::SimpleConnection::batch_execute(&mut connection, "CREATE TABLE t (a)").unwrap();
            assert!(std::fs::metadata(&path).unwrap().len() > 0, "{name}");
        }
        assert_eq!(std::fs::read_dir(&folder.0).unwrap().count(), 6);
    }
}
