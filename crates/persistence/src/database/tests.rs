//! What holds on every database: nesting, observers, deadlines, and processes that share a file.

use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use diesel::Connection;
use diesel::connection::SimpleConnection;
use tillgate_domain::change::Observer;
use tillgate_domain::{Change, SessionId, StoreError};

use super::*;
use crate::deadline::{now, since};
use crate::trial::{Folder, add, committed, number, postgres, read, run, with_tables, write};

fn both(folder: &Folder) -> [Database; 2] {
    [folder.database(&Limits::default()), postgres(&Limits::default()).1]
}

#[test]
fn a_unit_of_work_inside_another_is_an_error() {
    let folder = Folder::new();
    let [sqlite, server] = both(&folder);
    for (database, other) in [(&sqlite, &server), (&server, &sqlite)] {
        for outer in [Mode::Read, Mode::Write] {
            for inner in [Mode::Read, Mode::Write] {
                let mut found = None;
                database
                    .unit(outer, &mut |_| {
                        found = Some(database.unit(inner, &mut |_| Ok(())));
                        // Another database is another matter.
                        other.unit(inner, &mut |_| Ok(()))
                    })
                    .unwrap();
                assert_eq!(found, Some(Err(StoreError::Nested)), "{outer:?} {inner:?}");
            }
        }
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| write(database, |_| panic!("out"))));
        assert!(panicked.is_err());
        assert_eq!(write(database, |_| Ok(())), Ok(()), "a panic does not leave the thread inside");
    }
}

/// Notes what it is told, and how many tills another connection sees by then.
struct Notes {
    heard: Mutex<Vec<(Vec<Change>, i64)>>,
    other: Database,
}

impl Observer for Notes {
    fn committed(&self, changes: &[Change]) {
        let tills = committed(&self.other, "SELECT COUNT(*) FROM tills");
        self.heard.lock().unwrap().push((changes.to_vec(), tills));
    }
}

fn ended(number: u8) -> Change {
    Change::Ended(SessionId::new(tillgate_domain::Instant::from_millis(0), [number; 10]))
}

#[test]
fn an_observer_hears_of_what_was_committed_once_and_of_nothing_else() {
    let folder = Folder::new();
    for database in both(&folder) {
        let other = Database::create(&database.address, &Limits::default()).unwrap();
        let notes = Arc::new(Notes { heard: Mutex::default(), other });
        database.observe(Arc::clone(&notes) as Arc<dyn Observer>);
        let mut runs = 0;
        write(&database, |tx| {
            runs += 1;
            add(tx, 1)?;
            tx.written.changes.push(ended(1));
            if runs == 1 { Err(StoreError::Conflict("once more".to_owned())) } else { Ok(()) }
        })
        .unwrap();
        assert_eq!(notes.heard.lock().unwrap().drain(..).collect::<Vec<_>>(), [(vec![ended(1)], 1)]);
        write(&database, |tx| {
            tx.written.changes.push(ended(2));
            Err(StoreError::Fault("no".to_owned()))
        })
        .unwrap_err();
        write(&database, |tx| {
            tx.written.changes.push(ended(3));
            run(tx, "INSERT INTO slips VALUES (4711)")
        })
        .unwrap_err();
        read(&database, |_| Ok(())).unwrap();
        assert_eq!(*notes.heard.lock().unwrap(), []);
    }
}

#[test]
fn a_lock_of_another_process_is_waited_for_until_the_deadline() {
    let folder = Folder::new();
    let limits = Limits { deadline: Duration::from_millis(300), ..Limits::default() };
    let database = folder.database(&limits);
    let mut other = diesel::SqliteConnection::establish(folder.0.join("till.db").to_str().unwrap()).unwrap();
    other.batch_execute("BEGIN IMMEDIATE").unwrap();
    let start = now();
    let end = write(&database, |tx| add(tx, 1));
    let took = since(start);
    assert!(matches!(end, Err(StoreError::Unavailable(_))), "{end:?}");
    assert!(took >= Duration::from_millis(290) && took < Duration::from_secs(3), "{took:?}");
    assert_eq!(committed(&database, "SELECT COUNT(*) FROM tills"), 0, "who reads waits for nobody");
    thread::scope(|scope| {
        let waits = scope.spawn(|| write(&database, |tx| add(tx, 2)));
        thread::sleep(Duration::from_millis(50));
        other.batch_execute("COMMIT").unwrap();
        waits.join().unwrap().unwrap();
    });
}

/// Writes as fast as it can for a while, and returns how often and the longest that one took.
fn hammer(database: &Database, id: i64, threads: usize) -> (i64, Duration) {
    let end = now() + Duration::from_millis(1500);
    let counted: Vec<(i64, Duration)> = thread::scope(|scope| {
        let handles: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(move || {
                    let (mut count, mut longest) = (0, Duration::ZERO);
                    while now() < end {
                        let start = now();
                        write(database, |tx| run(tx, &format!("UPDATE tills SET n = n + 1 WHERE id = {id}"))).unwrap();
                        longest = longest.max(since(start));
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

const SECOND: &str = "TILLGATE_TRIAL_SECOND_PROCESS";

/// Runs itself in a second process, which is what the variable asks for.
#[test]
fn a_second_process_gets_its_turn() {
    if let Some(folder) = std::env::var_os(SECOND) {
        let address = Address::parse("sqlite:till.db", std::path::Path::new(&folder)).unwrap();
        let database = Database::create(&address, &Limits::default()).unwrap();
        let (count, longest) = hammer(&database, 2, 1);
        println!("second {count} {}", longest.as_millis());
        return;
    }
    let folder = Folder::new();
    let database = with_tables(Database::create(&folder.address(), &Limits::default()).unwrap());
    write(&database, |tx| add(tx, 1).and_then(|()| add(tx, 2))).unwrap();
    let second = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "database::tests::a_second_process_gets_its_turn", "--nocapture"])
        .env(SECOND, &folder.0)
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let (mine, my_longest) = hammer(&database, 1, 32);
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
    assert_eq!(committed(&database, "SELECT n FROM tills WHERE id = 1"), mine);
    assert_eq!(committed(&database, "SELECT n FROM tills WHERE id = 2"), said[0]);
    // In turns of 20 ms it would come to some 60; one that starves comes to one or two, or fails at its deadline.
    assert!(said[0] >= 10 && said[1] < 1000, "{said:?}");
    assert!(my_longest < Duration::from_secs(1), "{my_longest:?}");
}

#[cfg(unix)]
#[test]
fn the_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new();
    let database = folder.database(&Limits::default());
    write(&database, |tx| add(tx, 1)).unwrap();
    for name in ["till.db", "till.db-wal", "till.db-shm"] {
        assert_eq!(std::fs::metadata(folder.0.join(name)).unwrap().permissions().mode() & 0o777, 0o600, "{name}");
    }
}

#[test]
fn what_cannot_be_opened_says_why() {
    let folder = Folder::new();
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
    let folder = Folder::new();
    let error = Database::open(&folder.address(), &Limits::default()).err().unwrap();
    assert!(error.to_string().contains("No such file or directory"), "{error}");
    assert_eq!(std::fs::read_dir(&folder.0).unwrap().count(), 0);
}

#[cfg(unix)]
#[test]
fn removed_or_replaced_file_refuses_reads_and_writes_until_it_is_back() {
    let folder = Folder::new();
    let (file, aside) = (folder.0.join("till.db"), folder.0.join("aside.db"));
    let database = folder.database(&Limits::default());
    write(&database, |tx| add(tx, 1)).unwrap();
    database.close().unwrap();
    let refused = |what: &str| {
        for mode in [Mode::Read, Mode::Write] {
            let error = database.unit(mode, &mut |_| panic!("it ran on a file that is gone")).unwrap_err();
            assert!(matches!(&error, StoreError::Unavailable(say) if say.contains(what)), "{error}");
        }
    };
    std::fs::rename(&file, &aside).unwrap();
    refused("cannot be found");
    std::fs::copy(&aside, &file).unwrap();
    refused("was replaced");
    std::fs::rename(&aside, &file).unwrap();
    write(&database, |tx| add(tx, 2)).unwrap();
    assert_eq!(committed(&database, "SELECT COUNT(*) FROM tills"), 2);
}

#[test]
fn closed_database_is_whole_in_its_one_file() {
    let folder = Folder::new();
    let database = folder.database(&Limits::default());
    for id in 1..=50 {
        write(&database, |tx| add(tx, id)).unwrap();
    }
    assert!(std::fs::metadata(folder.0.join("till.db-wal")).unwrap().len() > 0);
    database.close().unwrap();
    assert_eq!(std::fs::metadata(folder.0.join("till.db-wal")).map_or(0, |found| found.len()), 0);
    let copy = Folder::new();
    std::fs::copy(folder.0.join("till.db"), copy.0.join("till.db")).unwrap();
    let copied = Database::open(&copy.address(), &Limits::default()).unwrap();
    assert_eq!(committed(&copied, "SELECT COUNT(*) FROM tills"), 50);
    // it goes on where something is to be written after all
    write(&database, |tx| add(tx, 51)).unwrap();
}

#[test]
fn many_open_a_new_file_at_once() {
    for _ in 0..20 {
        let folder = Folder::new();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| drop(Database::create(&folder.address(), &Limits::default()).unwrap()));
            }
        });
    }
}

#[test]
fn connections_to_sqlite_keep_no_more_pages_together_than_they_may() {
    let folder = Folder::new();
    let database = folder.database(&Limits { connections: 3, pages: 6 << 20, ..Limits::default() });
    let kibibytes = "SELECT -cache_size FROM pragma_cache_size";
    let read = committed(&database, kibibytes);
    let mut written = 0;
    write(&database, |tx| {
        written = number(tx, kibibytes)?;
        Ok(())
    })
    .unwrap();
    assert_eq!((written, read), (3072, 1024));
    assert_eq!(written + 3 * read, 6144, "KiB in all");
    let load = database.load();
    let open = u64::from(load.busy + load.idle);
    assert!(open >= 1, "the pool keeps one in any case");
    assert_eq!(load.pages, Some((3 + open) << 20));
}

#[test]
fn a_connection_that_nobody_needs_is_closed() {
    // the pool looks every 30 seconds
    if !tillgate_testkit::thorough() {
        return;
    }
    let (_, database) = postgres(&Limits { idle: Duration::from_secs(1), ..Limits::default() });
    let meet = Arc::new(std::sync::Barrier::new(4));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                read(&database, |_| {
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
