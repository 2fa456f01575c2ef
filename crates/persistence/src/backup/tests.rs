//! Backups during writes, and the conditions under which a backup fails.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::*;
use crate::database::Limits;
use crate::test_support::{DatabaseFolder, create_postgres, execute_sql, insert_till, query_committed, run_write};

#[test]
fn backup_copies_one_snapshot_of_a_database_in_use() {
    let folder = DatabaseFolder::new();
    let database = folder.database(&Limits::default());
    run_write(&database, |tx| insert_till(tx, 1).and_then(|()| insert_till(tx, 2))).unwrap();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                // Both or neither: the copy must not contain one without the other.
                run_write(&database, |tx| {
                    execute_sql(tx, "UPDATE tills SET n = n + 1 WHERE id = 1")?;
                    execute_sql(tx, "UPDATE tills SET n = n + 1 WHERE id = 2")
                })
                .unwrap();
            }
        });
        for number in 0..5 {
            let file = folder.0.join(format!("copy-{number}.db"));
            database.backup(&file).unwrap();
            let copy = Database::create(&Address::Sqlite(file), &Limits::default()).unwrap();
            assert_eq!(query_committed(&copy, "SELECT COUNT(DISTINCT n) FROM tills"), 1);
            assert_eq!(query_committed(&copy, "SELECT COUNT(*) FROM tills"), 2);
        }
        stop.store(true, Ordering::Relaxed);
    });
}

#[cfg(unix)]
#[test]
fn backup_file_has_mode_0600() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = DatabaseFolder::new();
    let file = folder.0.join("copy.db");
    folder.database(&Limits::default()).backup(&file).unwrap();
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let left: Vec<_> = fs::read_dir(&folder.0).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().starts_with("copy.db-")), "{left:?}");
}

#[test]
fn backup_overwrites_nothing_and_removes_partial_files() {
    let folder = DatabaseFolder::new();
    let database = folder.database(&Limits::default());
    let file = folder.0.join("copy.db");
    fs::write(&file, "precious").unwrap();
    assert_eq!(database.backup(&file), Err(BackupError::Exists(file.display().to_string())));
    assert_eq!(fs::read_to_string(&file).unwrap(), "precious");
    assert!(matches!(database.backup(&folder.0.join("no/copy.db")), Err(BackupError::Failed(_))));
}

#[test]
fn damaged_database_is_reported_and_its_copy_removed() {
    let folder = DatabaseFolder::new();
    {
        let database = folder.database(&Limits::default());
        run_write(&database, |tx| (0..5000).try_for_each(|id| insert_till(tx, id))).unwrap();
    }
    // The last process has closed the database, so everything is in one file. One of its middle
    // pages is overwritten.
    let path = folder.0.join("till.db");
    let mut content = fs::read(&path).unwrap();
    let middle = content.len() / 2 / 4096 * 4096;
    content[middle..middle + 4096].fill(0xff);
    fs::write(&path, content).unwrap();
    let database = Database::create(&folder.address(), &Limits::default()).unwrap();
    let file = folder.0.join("copy.db");
    let end = database.backup(&file);
    assert!(matches!(end, Err(BackupError::Failed(_) | BackupError::Damaged(_))), "{end:?}");
    assert!(!file.exists());
}

#[test]
#[ignore = "requires PostgreSQL"]
fn postgresql_backup_is_refused() {
    let (_, database) = create_postgres(&Limits::default());
    assert_eq!(database.backup(Path::new("/tmp/never.db")), Err(BackupError::NotSqlite));
}
