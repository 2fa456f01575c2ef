//! Backups while others write, and what refuses them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::*;
use crate::database::Limits;
use crate::trial::{Folder, add, committed, postgres, run, write};

#[test]
fn a_backup_is_one_moment_of_a_database_in_use() {
    let folder = Folder::new();
    let database = folder.database(&Limits::default());
    write(&database, |tx| add(tx, 1).and_then(|()| add(tx, 2))).unwrap();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                // Both or none: the copy must not see them apart.
                write(&database, |tx| {
                    run(tx, "UPDATE tills SET n = n + 1 WHERE id = 1")?;
                    run(tx, "UPDATE tills SET n = n + 1 WHERE id = 2")
                })
                .unwrap();
            }
        });
        for number in 0..5 {
            let file = folder.0.join(format!("copy-{number}.db"));
            database.backup(&file).unwrap();
            let copy = Database::create(&Address::Sqlite(file), &Limits::default()).unwrap();
            assert_eq!(committed(&copy, "SELECT COUNT(DISTINCT n) FROM tills"), 1);
            assert_eq!(committed(&copy, "SELECT COUNT(*) FROM tills"), 2);
        }
        stop.store(true, Ordering::Relaxed);
    });
}

#[cfg(unix)]
#[test]
fn a_backup_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new();
    let file = folder.0.join("copy.db");
    folder.database(&Limits::default()).backup(&file).unwrap();
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let left: Vec<_> = fs::read_dir(&folder.0).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().starts_with("copy.db-")), "{left:?}");
}

#[test]
fn a_backup_overwrites_nothing_and_leaves_nothing_half_done() {
    let folder = Folder::new();
    let database = folder.database(&Limits::default());
    let file = folder.0.join("copy.db");
    fs::write(&file, "precious").unwrap();
    assert_eq!(database.backup(&file), Err(BackupError::Exists(file.display().to_string())));
    assert_eq!(fs::read_to_string(&file).unwrap(), "precious");
    assert!(matches!(database.backup(&folder.0.join("no/copy.db")), Err(BackupError::Failed(_))));
}

#[test]
fn a_damaged_database_is_found_and_its_copy_removed() {
    let folder = Folder::new();
    {
        let database = folder.database(&Limits::default());
        write(&database, |tx| (0..5000).try_for_each(|id| add(tx, id))).unwrap();
    }
    // The last process closed it, so everything is in the one file; a page in its middle is lost.
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
fn postgresql_has_its_own() {
    let (_, database) = postgres(&Limits::default());
    assert_eq!(database.backup(Path::new("/tmp/never.db")), Err(BackupError::NotSqlite));
}
