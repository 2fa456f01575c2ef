//! Copies SQLite's database into a file while it is used, and looks whether the copy is whole. PostgreSQL has `pg_dump` for that.

use std::fs;
use std::path::Path;

use diesel::sql_types::Text;
use diesel::{RunQueryDsl, SqliteConnection, sql_query};

use crate::database::{Address, Database};
use crate::sqlite;

/// Why there is no backup. What was begun of it has been removed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BackupError {
    /// It is PostgreSQL.
    #[error("the database is PostgreSQL's: back it up with its own pg_dump, or with a standby and its archive")]
    NotSqlite,
    /// The file is there.
    #[error("{0} exists already; a backup never overwrites one")]
    Exists(String),
    /// The path cannot be handed to SQLite.
    #[error("the path of the backup must be valid UTF-8")]
    Path,
    /// Reading or writing failed.
    #[error("the backup failed: {0}")]
    Failed(String),
    /// The copy is not whole.
    #[error("the copy is damaged, and so the database may be: {0}")]
    Damaged(String),
}

#[derive(diesel::QueryableByName)]
struct IntegrityRow {
    #[diesel(sql_type = Text)]
    integrity_check: String,
}

impl Database {
    /// Writes what is committed now into `file`, which must not exist, and returns once the copy is on disk and found whole.
    /// Writers go on meanwhile. The copy has the mode 0600.
    pub fn backup(&self, file: &Path) -> Result<(), BackupError> {
        let Address::Sqlite(path) = &self.address else { return Err(BackupError::NotSqlite) };
        // Made by us: it has its mode before there is anything in it, and of two backups into one file one is refused.
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
            // It is ours, and it is no backup.
            drop(fs::remove_file(file));
        }
        copied
    }

    fn copy_database(&self, path: &Path, file: &Path) -> Result<(), BackupError> {
        let name = file.to_str().ok_or(BackupError::Path)?;
        let mut source = sqlite::connect_plain(path, self.limits.deadline).map_err(|error| backup_error(&error))?;
        // VACUUM INTO reads in one transaction, so it copies one moment; it takes an empty file.
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
        [] => Err(BackupError::Damaged("the check said nothing".to_owned())),
    }
}

/// The file and its entry in the folder are on disk.
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
