//! Copies a SQLite database to a file while it is in use, and checks the copy. For PostgreSQL, use
//! `pg_dump`.

use std::fs;
use std::path::Path;

use diesel::sql_types::Text;
use diesel::{RunQueryDsl, SqliteConnection, sql_query};

use crate::database::{Address, Database};
use crate::sqlite;

/// Why a backup failed. An incomplete copy has been removed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BackupError {
    /// The database is on PostgreSQL.
    #[error("the database is on PostgreSQL; back it up with pg_dump, or with a standby and its archive")]
    NotSqlite,
    /// A file with this name already exists.
    #[error("\"{0}\" exists already; choose another file, since a backup overwrites none")]
    Exists(String),
    /// SQLite cannot open the path.
    #[error("the path of the backup must be valid UTF-8")]
    Path,
    /// Reading or writing failed.
    #[error("the backup failed: {0}")]
    Failed(String),
    /// The copy is damaged.
    #[error("the copy is damaged, and the database may be too: {0}")]
    Damaged(String),
}

#[derive(diesel::QueryableByName)]
struct IntegrityRow {
    #[diesel(sql_type = Text)]
    integrity_check: String,
}

impl Database {
    /// Writes the committed state to `file`, which must not exist, and returns once the copy is on
    /// disk and has been checked.
    ///
    /// Writers continue meanwhile. The copy has the mode 0600.
    ///
    /// # Errors
    ///
    /// See [`BackupError`].
    pub fn backup(&self, file: &Path) -> Result<(), BackupError> {
        let Address::Sqlite(path) = &self.address else { return Err(BackupError::NotSqlite) };
        // The file is created here, so that it has its mode before it has content, and of two
        // backups to the same file one fails.
        match fs::symlink_metadata(file) {
            Ok(_) => return Err(BackupError::Exists(file.display().to_string())),
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(backup_error(&error)),
            Err(_) => sqlite::file::create_new(file).map_err(|error| match error.kind() {
                std::io::ErrorKind::AlreadyExists => BackupError::Exists(file.display().to_string()),
                _ => backup_error(&error),
            })?,
        }
        let copied = self.copy_database(path, file);
        if copied.is_err() {
            // The file was created above and is not a complete backup.
            drop(fs::remove_file(file));
        }
        copied
    }

    fn copy_database(&self, path: &Path, file: &Path) -> Result<(), BackupError> {
        let name = file.to_str().ok_or(BackupError::Path)?;
        let mut source = sqlite::connect_plain(path, self.limits.deadline).map_err(|error| backup_error(&error))?;
        // VACUUM INTO reads in one transaction, so it copies one state. It accepts an empty file.
        sql_query("VACUUM INTO ?").bind::<Text, _>(name).execute(&mut source).map_err(|error| backup_error(&error))?;
        drop(source);
        let mut copy = sqlite::connect_plain(file, self.limits.deadline).map_err(|error| backup_error(&error))?;
        check_integrity(&mut copy)?;
        drop(copy);
        sync_file(file).map_err(|error| backup_error(&error))
    }
}

fn check_integrity(copy: &mut SqliteConnection) -> Result<(), BackupError> {
    let findings: Vec<IntegrityRow> =
        sql_query("PRAGMA integrity_check").load(copy).map_err(|error| BackupError::Damaged(error.to_string()))?;
    match findings.as_slice() {
        [IntegrityRow { integrity_check }] if integrity_check == "ok" => Ok(()),
        [IntegrityRow { integrity_check }, ..] => Err(BackupError::Damaged(integrity_check.clone())),
        [] => Err(BackupError::Damaged("the check returned nothing".to_owned())),
    }
}

/// Ensures that the file and its entry in the folder are on disk.
fn sync_file(file: &Path) -> std::io::Result<()> {
    fs::File::open(file)?.sync_all()?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    fs::File::open(folder)?.sync_all()
}

fn backup_error(error: &dyn std::error::Error) -> BackupError {
    BackupError::Failed(error.to_string())
}

#[cfg(test)]
mod tests;
