//! Migrations up, down and up again; two at the same time; and a database that is newer than the
//! program.

use std::thread;
use tillgate_testkit::DatabaseEngine;

use super::*;
use crate::database::Limits;
use crate::test_support::{DatabaseFolder, execute_sql, run_write};

tillgate_testkit::on_both_databases!(
    migrations_run_up_down_and_up,
    concurrent_migrations_run_once,
    newer_database_is_refused_unchanged,
    failed_migration_leaves_nothing
);

fn migrations_run_up_down_and_up(engine: DatabaseEngine) {
    let folder = DatabaseFolder::new();
    let database = folder.create(engine);
    let all = database.pending_migrations().unwrap();
    assert!(!all.is_empty());
    let mut names = Vec::new();
    database.migrate(&mut |name| names.push(name.to_owned())).unwrap();
    assert_eq!(names, all);
    assert_eq!(database.pending_migrations(), Ok(Vec::new()));
    database.migrate(&mut |name| panic!("{name} runs twice")).unwrap();
    database.set_instance_id(uuid::Uuid::from_u128(7)).unwrap();
    database.revert_all().unwrap();
    assert!(run_write(&database, |tx| execute_sql(tx, "SELECT * FROM meta")).is_err());
    assert_eq!(database.pending_migrations(), Ok(all));
    database.migrate(&mut |_| ()).unwrap();
    database.set_instance_id(uuid::Uuid::from_u128(9)).unwrap();
}

fn concurrent_migrations_run_once(engine: DatabaseEngine) {
    let folder = DatabaseFolder::new();
    let database = folder.create(engine);
    let second = Database::create(&database.address, &Limits::default()).unwrap();
    let count = |database: &Database| {
        let mut count = 0;
        database.migrate(&mut |_| count += 1).unwrap();
        count
    };
    let all = database.pending_migrations().unwrap().len();
    let (mine, others) = thread::scope(|scope| {
        let other = scope.spawn(|| count(&second));
        (count(&database), other.join().unwrap())
    });
    assert_eq!((mine.min(others), mine.max(others)), (0, all));
}

fn newer_database_is_refused_unchanged(engine: DatabaseEngine) {
    let folder = DatabaseFolder::new();
    let database = folder.create(engine);
    database.migrate(&mut |_| ()).unwrap();
    run_write(&database, |tx| {
        execute_sql(tx, "INSERT INTO __diesel_schema_migrations (version) VALUES ('20991231000001')")
    })
    .unwrap();
    let newer = Err(MigrateError::Newer("20991231000001".to_owned()));
    assert_eq!(database.migrate(&mut |_| panic!("a migration runs")), newer);
    assert_eq!(database.pending_migrations().map(drop), newer);
}

fn failed_migration_leaves_nothing(engine: DatabaseEngine) {
    let folder = DatabaseFolder::new();
    let database = folder.create(engine);
    // This table conflicts with the last migration, so the earlier ones succeed and must be
    // rolled back.
    run_write(&database, |tx| execute_sql(tx, "CREATE TABLE changes (n BIGINT)")).unwrap();
    let end = database.migrate(&mut |_| ());
    assert!(matches!(&end, Err(MigrateError::Failed { detail, .. }) if detail.contains("changes")), "{end:?}");
    assert!(run_write(&database, |tx| execute_sql(tx, "SELECT * FROM meta")).is_err());
    run_write(&database, |tx| execute_sql(tx, "DROP TABLE changes")).unwrap();
    database.migrate(&mut |_| ()).unwrap();
}
