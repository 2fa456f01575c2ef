//! Properties of both databases: nesting, observers, deadlines, and processes that share a file.

use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use diesel::Connection;
use diesel::connection::SimpleConnection;
use tillgate_domain::change::Observer;
use tillgate_domain::{Change, SessionId, StoreError};
use tillgate_testkit::DatabaseEngine;

use super::*;
use crate::deadline::{elapsed_since, monotonic_now};
use crate::test_support::{
    DatabaseFolder, create_postgres, create_tables, execute_sql, insert_till, query_committed, query_number, run_read,
    run_write,
};

#[test]
#[ignore = "requires PostgreSQL"]
fn nested_unit_of_work_is_an_error() {
    let folder = DatabaseFolder::new();
    let [sqlite, server] = [DatabaseEngine::Sqlite, DatabaseEngine::Postgres].map(|engine| folder.open(engine));
    for (database, other) in [(&sqlite, &server), (&server, &sqlite)] {
        for outer in [Mode::Read, Mode::Write] {
            for inner in [Mode::Read, Mode::Write] {
                let mut found = None;
                database
                    .run_unit(UnitOfWork { name: "test", mode: outer }, &mut |_| {
                        found = Some(database.run_unit(UnitOfWork { name: "test", mode: inner }, &mut |_| Ok(())));
                        // A unit of work of another database is not nested.
                        other.run_unit(UnitOfWork { name: "test", mode: inner }, &mut |_| Ok(()))
                    })
                    .unwrap();
                assert_eq!(found, Some(Err(StoreError::Nested)), "{outer:?} {inner:?}");
            }
        }
        let panicked =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run_write(database, |_| panic!("out"))));
        assert!(panicked.is_err());
        assert_eq!(run_write(database, |_| Ok(())), Ok(()), "a panic does not leave the thread inside");
    }
}

/// Records its notifications, and how many tills another connection sees at that moment.
struct RecordingObserver {
    received: Mutex<Vec<(Vec<Change>, i64)>>,
    other: Database,
}

impl Observer for RecordingObserver {
    fn on_commit(&self, changes: &[Change]) {
        let tills = query_committed(&self.other, "SELECT COUNT(*) FROM tills");
        self.received.lock().unwrap().push((changes.to_vec(), tills));
    }
}

fn ended_change(number: u8) -> Change {
    Change::SessionEnded(SessionId::new(tillgate_domain::Instant::from_millis(0), [number; 10]))
}

tillgate_testkit::on_both_databases!(
    observer_receives_committed_changes_once_and_nothing_else,
    units_of_work_are_reported_with_name_outcome_and_runs
);

fn observer_receives_committed_changes_once_and_nothing_else(engine: DatabaseEngine) {
    let folder = DatabaseFolder::new();
    let database = folder.open(engine);
    let other = Database::create(&database.address, &Limits::default()).unwrap();
    let notes = Arc::new(RecordingObserver { received: Mutex::default(), other });
    database.observe(Arc::clone(&notes) as Arc<dyn Observer>);
    let mut runs = 0;
    run_write(&database, |tx| {
        runs += 1;
        insert_till(tx, 1)?;
        tx.written_changes.changes.push(ended_change(1));
        if runs == 1 { Err(StoreError::Conflict("once more".to_owned())) } else { Ok(()) }
    })
    .unwrap();
    assert_eq!(notes.received.lock().unwrap().drain(..).collect::<Vec<_>>(), [(vec![ended_change(1)], 1)]);
    run_write(&database, |tx| {
        tx.written_changes.changes.push(ended_change(2));
        Err(StoreError::Fault("no".to_owned()))
    })
    .unwrap_err();
    run_write(&database, |tx| {
        tx.written_changes.changes.push(ended_change(3));
        execute_sql(tx, "INSERT INTO slips VALUES (4711)")
    })
    .unwrap_err();
    run_read(&database, |_| Ok(())).unwrap();
    assert_eq!(*notes.received.lock().unwrap(), []);
}

fn units_of_work_are_reported_with_name_outcome_and_runs(engine: DatabaseEngine) {
    let folder = DatabaseFolder::new();
    let database = folder.open(engine);
    let reports = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&reports);
    assert!(database.observe_units(move |report| noted.lock().unwrap().push(*report)));
    assert!(!database.observe_units(|_| ()), "the first observer stays");
    let mut runs = 0;
    run_write(&database, |tx| {
        runs += 1;
        insert_till(tx, 1)?;
        if runs == 1 { Err(StoreError::Conflict("once more".to_owned())) } else { Ok(()) }
    })
    .unwrap();
    run_read(&database, |_| Err(StoreError::Unavailable("gone".to_owned()))).unwrap_err();
    let reports: Vec<_> = reports.lock().unwrap().iter().map(|each| (each.name, each.outcome, each.runs)).collect();
    assert_eq!(reports, [("test", "ok", 2), ("test", "unavailable", 1)]);
}

#[test]
fn lock_of_another_process_is_waited_for_until_the_deadline() {
    let folder = DatabaseFolder::new();
    let limits = Limits { deadline: Duration::from_millis(300), ..Limits::default() };
    let database = folder.database(&limits);
    let mut other = diesel::SqliteConnection::establish(folder.0.join("till.db").to_str().unwrap()).unwrap();
    other.batch_execute("BEGIN IMMEDIATE").unwrap();
    let start = monotonic_now();
    let end = run_write(&database, |tx| insert_till(tx, 1));
    let took = elapsed_since(start);
    assert!(matches!(end, Err(StoreError::Unavailable(_))), "{end:?}");
    assert!(took >= Duration::from_millis(290) && took < Duration::from_secs(3), "{took:?}");
    assert_eq!(query_committed(&database, "SELECT COUNT(*) FROM tills"), 0, "who reads waits for nobody");
    thread::scope(|scope| {
        let waits = scope.spawn(|| run_write(&database, |tx| insert_till(tx, 2)));
        thread::sleep(Duration::from_millis(50));
        other.batch_execute("COMMIT").unwrap();
        waits.join().unwrap().unwrap();
    });
}

/// Increments a counter for a while in several threads, and returns how often it succeeded and the
/// longest time that one increment took.
fn increment_in_threads(database: &Database, id: i64, threads: usize) -> (i64, Duration) {
    let end = monotonic_now() + Duration::from_millis(1500);
    let counted: Vec<(i64, Duration)> = thread::scope(|scope| {
        let handles: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(move || {
                    let (mut count, mut longest) = (0, Duration::ZERO);
                    while monotonic_now() < end {
                        let start = monotonic_now();
                        run_write(database, |tx| {
                            execute_sql(tx, &format!("UPDATE tills SET n = n + 1 WHERE id = {id}"))
                        })
                        .unwrap();
                        longest = longest.max(elapsed_since(start));
                        count += 1;
                    }
                    (count, longest)
                })
            })
            .collect();
        handles.into_iter().map(|handle| handle.join().unwrap()).collect()
    });
    (counted.iter().map(|(count, _)| count).sum(), counted.iter().map(|(_, longest)| *longest).max().unwrap())
}

const SECOND_PROCESS_VARIABLE: &str = "TILLGATE_TRIAL_SECOND_PROCESS";

/// Runs itself in a second process, which the environment variable selects.
#[test]
fn second_process_gets_the_write_lock() {
    if let Some(folder) = std::env::var_os(SECOND_PROCESS_VARIABLE) {
        let address = Address::parse("sqlite:till.db", std::path::Path::new(&folder)).unwrap();
        let database = Database::create(&address, &Limits::default()).unwrap();
        let (count, longest) = increment_in_threads(&database, 2, 1);
        println!("second {count} {}", longest.as_millis());
        return;
    }
    let folder = DatabaseFolder::new();
    let database = create_tables(Database::create(&folder.address(), &Limits::default()).unwrap());
    run_write(&database, |tx| insert_till(tx, 1).and_then(|()| insert_till(tx, 2))).unwrap();
    let second = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "database::tests::second_process_gets_the_write_lock", "--nocapture"])
        .env(SECOND_PROCESS_VARIABLE, folder.0.as_os_str())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let (mine, my_longest) = increment_in_threads(&database, 1, 32);
    let output = second.wait_with_output().unwrap();
    let output = String::from_utf8_lossy(&output.stdout).into_owned();
    let said: Vec<i64> = output
        .lines()
        .find_map(|line| line.split_once("second "))
        .unwrap_or_else(|| panic!("{output}"))
        .1
        .split(' ')
        .map(|number| number.parse().unwrap())
        .collect();
    println!("mine {mine} {my_longest:?}, second {said:?} ms");
    assert_eq!(query_committed(&database, "SELECT n FROM tills WHERE id = 1"), mine);
    assert_eq!(query_committed(&database, "SELECT n FROM tills WHERE id = 2"), said[0]);
    // With turns of 20 ms there would be about 60; a starved process has one or two, or fails at
    // its deadline.
    assert!(said[0] >= 10 && said[1] < 1000, "{said:?}");
    assert!(my_longest < Duration::from_secs(1), "{my_longest:?}");
}

#[cfg(unix)]
#[test]
fn database_file_has_mode_0600() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = DatabaseFolder::new();
    let database = folder.database(&Limits::default());
    run_write(&database, |tx| insert_till(tx, 1)).unwrap();
    for name in ["till.db", "till.db-wal", "till.db-shm"] {
        assert_eq!(std::fs::metadata(folder.0.join(name)).unwrap().permissions().mode() & 0o777, 0o600, "{name}");
    }
}

#[test]
fn unopenable_database_reports_the_reason() {
    let folder = DatabaseFolder::new();
    let nowhere = Address::Sqlite(folder.0.join("no/such/folder.db"));
    let error = Database::create(&nowhere, &Limits::default()).err().unwrap();
    assert!(error.to_string().contains("No such file or directory"), "{error}");
    std::fs::write(folder.0.join("till.db"), "this is no database, however long it may be".repeat(100)).unwrap();
    let error = Database::create(&folder.address(), &Limits::default()).err().unwrap();
    assert!(error.to_string().contains("not a database"), "{error}");
    let closed = Address::Postgres("postgres://till:geheim@127.0.0.1:1/shop".to_owned());
    let error = Database::create(&closed, &Limits::default()).err().unwrap();
    assert!(matches!(error, OpenError::Unreachable { .. }) && !error.to_string().contains("geheim"), "{error}");
}

#[test]
fn open_never_creates_a_database() {
    let folder = DatabaseFolder::new();
    let error = Database::open(&folder.address(), &Limits::default()).err().unwrap();
    assert!(error.to_string().contains("No such file or directory"), "{error}");
    assert_eq!(std::fs::read_dir(&folder.0).unwrap().count(), 0);
}

#[cfg(unix)]
#[test]
fn removed_or_replaced_file_refuses_reads_and_writes_until_restored() {
    let folder = DatabaseFolder::new();
    let (file, aside) = (folder.0.join("till.db"), folder.0.join("aside.db"));
    let database = folder.database(&Limits::default());
    run_write(&database, |tx| insert_till(tx, 1)).unwrap();
    database.close().unwrap();
    let refused = |what: &str| {
        for mode in [Mode::Read, Mode::Write] {
            let error = database
                .run_unit(UnitOfWork { name: "test", mode }, &mut |_| panic!("it ran on a file that is gone"))
                .unwrap_err();
            assert!(matches!(&error, StoreError::Unavailable(say) if say.contains(what)), "{error}");
        }
    };
    std::fs::rename(&file, &aside).unwrap();
    refused("cannot be found");
    std::fs::copy(&aside, &file).unwrap();
    refused("was replaced");
    std::fs::rename(&aside, &file).unwrap();
    run_write(&database, |tx| insert_till(tx, 2)).unwrap();
    assert_eq!(query_committed(&database, "SELECT COUNT(*) FROM tills"), 2);
}

#[cfg(unix)]
#[test]
fn removed_log_refuses_reads_and_writes_and_is_complete_at_the_end() {
    let folder = DatabaseFolder::new();
    let database = folder.database(&Limits::default());
    run_write(&database, |tx| insert_till(tx, 1)).unwrap();
    let aside = folder.0.join("aside");
    for name in ["till.db-wal", "till.db-shm"] {
        let log = folder.0.join(name);
        std::fs::rename(&log, &aside).unwrap();
        for mode in [Mode::Read, Mode::Write] {
            let error = database
                .run_unit(UnitOfWork { name: "test", mode }, &mut |_| panic!("it ran on a log that is gone"))
                .unwrap_err();
            assert!(matches!(&error, StoreError::Unavailable(say) if say.contains(name)), "{error}");
        }
        std::fs::rename(&aside, &log).unwrap();
        assert_eq!(query_committed(&database, "SELECT COUNT(*) FROM tills"), 1, "{name} is back");
    }
    std::fs::remove_file(folder.0.join("till.db-wal")).unwrap();
    database.close().unwrap();
    let copy = DatabaseFolder::new();
    std::fs::copy(folder.0.join("till.db"), copy.0.join("till.db")).unwrap();
    let copied = Database::open(&copy.address(), &Limits::default()).unwrap();
    assert_eq!(query_committed(&copied, "SELECT COUNT(*) FROM tills"), 1);
}

#[test]
fn closed_database_is_complete_in_one_file() {
    let folder = DatabaseFolder::new();
    let database = folder.database(&Limits::default());
    for id in 1..=50 {
        run_write(&database, |tx| insert_till(tx, id)).unwrap();
    }
    assert!(std::fs::metadata(folder.0.join("till.db-wal")).unwrap().len() > 0);
    database.close().unwrap();
    assert_eq!(std::fs::metadata(folder.0.join("till.db-wal")).map_or(0, |found| found.len()), 0);
    let copy = DatabaseFolder::new();
    std::fs::copy(folder.0.join("till.db"), copy.0.join("till.db")).unwrap();
    let copied = Database::open(&copy.address(), &Limits::default()).unwrap();
    assert_eq!(query_committed(&copied, "SELECT COUNT(*) FROM tills"), 50);
    // the connection is replaced and the next write succeeds
    run_write(&database, |tx| insert_till(tx, 51)).unwrap();
}

#[test]
fn concurrent_opens_create_one_file() {
    for _ in 0..20 {
        let folder = DatabaseFolder::new();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| drop(Database::create(&folder.address(), &Limits::default()).unwrap()));
            }
        });
    }
}

#[test]
fn sqlite_connections_stay_within_the_page_cache_limit() {
    let folder = DatabaseFolder::new();
    let database = folder.database(&Limits { connections: 3, pages: 6 << 20, ..Limits::default() });
    let kibibytes = "SELECT -cache_size FROM pragma_cache_size";
    let read = query_committed(&database, kibibytes);
    let mut written = 0;
    run_write(&database, |tx| {
        written = query_number(tx, kibibytes)?;
        Ok(())
    })
    .unwrap();
    assert_eq!((written, read), (3072, 1024));
    assert_eq!(written + 3 * read, 6144, "KiB in all");
    let load = database.load();
    let open = u64::from(load.busy + load.idle);
    assert!(open >= 1, "the pool keeps one in any case");
    assert_eq!(load.page_cache_bytes, Some((3 + open) << 20));
}

#[test]
#[ignore = "requires PostgreSQL"]
fn idle_connection_is_closed() {
    // the pool checks every 30 seconds
    if !tillgate_testkit::is_thorough() {
        return;
    }
    let (_, database) = create_postgres(&Limits { idle: Duration::from_secs(1), ..Limits::default() });
    let meet = Arc::new(std::sync::Barrier::new(4));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                run_read(&database, |_| {
                    meet.wait();
                    Ok(())
                })
            });
        }
    });
    assert!(database.load().idle >= 4);
    thread::sleep(Duration::from_secs(62));
    assert_eq!(database.load().idle, 1, "one is kept");
}
