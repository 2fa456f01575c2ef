//! Up, down and up again; twice at once; and a database that is newer than the program.

use std::thread;

use super::*;
use crate::database::Limits;
use crate::trial::{Folder, run, write};

fn both(folder: &Folder) -> [Database; 2] {
    let url = tillgate_testkit::postgres::create_database();
    [folder.address(), Address::parse(&url, std::path::Path::new("/")).unwrap()]
        .map(|address| Database::create(&address, &Limits::default()).unwrap())
}

#[test]
fn up_down_and_up_again() {
    let folder = Folder::new();
    for database in both(&folder) {
        let all = database.pending().unwrap();
        assert!(!all.is_empty());
        let mut told = Vec::new();
        database.migrate(&mut |name| told.push(name.to_owned())).unwrap();
        assert_eq!(told, all);
        assert_eq!(database.pending(), Ok(Vec::new()));
        database.migrate(&mut |name| panic!("{name} runs twice")).unwrap();
        database.establish(uuid::Uuid::from_u128(7)).unwrap();
        database.unmigrate().unwrap();
        assert!(write(&database, |tx| run(tx, "SELECT * FROM meta")).is_err());
        assert_eq!(database.pending(), Ok(all));
        database.migrate(&mut |_| ()).unwrap();
        database.establish(uuid::Uuid::from_u128(9)).unwrap();
    }
}

#[test]
fn of_two_at_once_one_does_it() {
    let folder = Folder::new();
    for database in both(&folder) {
        let second = Database::create(&database.address, &Limits::default()).unwrap();
        let count = |database: &Database| {
            let mut count = 0;
            database.migrate(&mut |_| count += 1).unwrap();
            count
        };
        let all = database.pending().unwrap().len();
        let (mine, others) = thread::scope(|scope| {
            let other = scope.spawn(|| count(&second));
            (count(&database), other.join().unwrap())
        });
        assert_eq!((mine.min(others), mine.max(others)), (0, all));
    }
}

#[test]
fn a_newer_database_is_refused_and_left_alone() {
    let folder = Folder::new();
    for database in both(&folder) {
        database.migrate(&mut |_| ()).unwrap();
        write(&database, |tx| run(tx, "INSERT INTO __diesel_schema_migrations (version) VALUES ('20991231000001')"))
            .unwrap();
        let newer = Err(MigrateError::Newer("20991231000001".to_owned()));
        assert_eq!(database.migrate(&mut |_| panic!("a migration runs")), newer);
        assert_eq!(database.pending().map(drop), newer);
    }
}

#[test]
fn a_migration_that_fails_leaves_nothing() {
    let folder = Folder::new();
    for database in both(&folder) {
        // In the way of the last tables, so that those before it are made and must go again.
        write(&database, |tx| run(tx, "CREATE TABLE changes (n BIGINT)")).unwrap();
        let end = database.migrate(&mut |_| ());
        assert!(matches!(&end, Err(MigrateError::Failed { detail, .. }) if detail.contains("changes")), "{end:?}");
        assert!(write(&database, |tx| run(tx, "SELECT * FROM meta")).is_err());
        write(&database, |tx| run(tx, "DROP TABLE changes")).unwrap();
        database.migrate(&mut |_| ()).unwrap();
    }
}
