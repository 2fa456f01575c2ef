//! The files of a folder, kept to create copies of it.

use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::path::Path;

/// The files of a folder with their permissions. Tests create an installation once, take a snapshot
/// of its data folder, and start from copies of it.
#[derive(Debug)]
pub struct FolderSnapshot {
    permissions: Permissions,
    files: Vec<(OsString, Permissions, Vec<u8>)>,
}

impl FolderSnapshot {
    /// Reads the files of a folder without subfolders, which no program changes meanwhile.
    pub fn read_from(folder: &Path) -> Self {
        let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
        let files = entries.map(|entry| {
            let permissions = entry.metadata().unwrap().permissions();
            (entry.file_name(), permissions, fs::read(entry.path()).unwrap())
        });
        Self { files: files.collect(), permissions: fs::metadata(folder).unwrap().permissions() }
    }

    /// Writes the files into a folder, which is created if it does not exist.
    pub fn write_to(&self, folder: &Path) {
        fs::create_dir_all(folder).unwrap();
        fs::set_permissions(folder, self.permissions.clone()).unwrap();
        for (name, permissions, content) in &self.files {
            let path = folder.join(name);
            fs::write(&path, content).unwrap();
            fs::set_permissions(&path, permissions.clone()).unwrap();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TestFolder;

    #[test]
    fn copy_has_the_files_and_their_permissions() {
        let folder = TestFolder::new();
        let (original, copy) = (folder.join("original"), folder.join("copy"));
        fs::create_dir_all(&original).unwrap();
        fs::write(original.join("key"), "secret").unwrap();
        let mut read_only = fs::metadata(original.join("key")).unwrap().permissions();
        read_only.set_readonly(true);
        fs::set_permissions(original.join("key"), read_only).unwrap();
        let snapshot = FolderSnapshot::read_from(&original);
        fs::remove_dir_all(&original).unwrap();
        snapshot.write_to(&copy);
        assert_eq!(fs::read_to_string(copy.join("key")).unwrap(), "secret");
        assert!(fs::metadata(copy.join("key")).unwrap().permissions().readonly());
    }
}
