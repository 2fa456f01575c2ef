//! Groups of writers: which members are committed, which run again, and what each receives. The
//! members of a group are queued one by one behind a first member that keeps its turn until all are
//! there.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::thread::{self, ScopedJoinHandle};
use std::time::Duration;

use tillgate_domain::{StoreError, StoreResult};

use crate::database::{Database, Limits};
use crate::test_support::{
    DatabaseFolder, execute_sql, insert_till, query_committed, query_number, run_write, wait_until,
};
use crate::transaction::Transaction;

type MemberWork<'b> = Box<dyn FnMut(&mut Transaction<'_>) -> StoreResult<()> + Send + 'b>;

/// Runs the members in this order, in one group behind a first member, and returns the result of
/// each.
fn run_in_one_group(database: &Database, members: Vec<MemberWork<'_>>) -> Vec<thread::Result<StoreResult<()>>> {
    let count = members.len();
    thread::scope(|scope| {
        let (go, gate) = mpsc::channel::<()>();
        let (running, has_run) = mpsc::channel();
        let first = scope.spawn(move || {
            run_write(database, |_| {
                running.send(()).unwrap();
                // In another run nothing is sent any more.
                let _ = gate.recv();
                Ok(())
            })
        });
        has_run.recv().unwrap();
        let handles: Vec<ScopedJoinHandle<'_, StoreResult<()>>> = members
            .into_iter()
            .enumerate()
            .map(|(place, mut body)| {
                let handle = scope.spawn(move || run_write(database, &mut body));
                wait_until("the next member has queued", || database.load().waiting == place + 1);
                handle
            })
            .collect();
        assert_eq!(database.load().waiting, count);
        drop(go);
        first.join().unwrap().unwrap();
        handles.into_iter().map(ScopedJoinHandle::join).collect()
    })
}

fn increment_till(id: i64, runs: &AtomicU32) -> MemberWork<'_> {
    Box::new(move |tx| {
        runs.fetch_add(1, Ordering::Relaxed);
        insert_till(tx, id)
    })
}

fn test_limits() -> Limits {
    Limits { deadline: Duration::from_secs(20), ..Limits::default() }
}

#[test]
fn many_writers_commit_in_few_groups() {
    let folder = DatabaseFolder::new();
    let database = crate::test_support::create_tables(Database::create(&folder.address(), &test_limits()).unwrap());
    run_write(&database, |tx| insert_till(tx, 1)).unwrap();
    thread::scope(|scope| {
        for _ in 0..64 {
            scope.spawn(|| {
                for _ in 0..20 {
                    run_write(&database, |tx| execute_sql(tx, "UPDATE tills SET n = n + 1 WHERE id = 1")).unwrap();
                }
            });
        }
    });
    assert_eq!(query_committed(&database, "SELECT n FROM tills"), 1280);
    let load = database.load();
    assert_eq!((load.grouped_units, load.waiting), (1282, 0));
    assert!(load.groups < load.grouped_units / 2, "{load:?}");
}

#[test]
fn failing_member_is_rolled_back_alone() {
    let folder = DatabaseFolder::new();
    let database = folder.database(&test_limits());
    let before = database.load().groups;
    let runs = AtomicU32::new(0);
    let fails = || -> MemberWork<'_> {
        Box::new(|tx| {
            insert_till(tx, 90)?;
            execute_sql(tx, "INSERT INTO nowhere VALUES (1)")
        })
    };
    let ends = run_in_one_group(
        &database,
        vec![increment_till(1, &runs), fails(), increment_till(2, &runs), fails(), increment_till(3, &runs)],
    );
    let ends: Vec<_> = ends.into_iter().map(Result::unwrap).collect();
    assert_eq!([&ends[0], &ends[2], &ends[4]], [&Ok(()); 3]);
    assert!(matches!(&ends[1], Err(StoreError::Fault(say)) if say.contains("nowhere")), "{ends:?}");
    assert!(matches!(&ends[3], Err(StoreError::Fault(_))), "{ends:?}");
    assert_eq!(query_committed(&database, "SELECT SUM(id) FROM tills"), 6);
    assert_eq!((runs.into_inner(), database.load().groups - before), (3, 1), "one group, and each ran once");
}

#[test]
fn member_reads_the_writes_of_earlier_members() {
    let folder = DatabaseFolder::new();
    let database = folder.database(&test_limits());
    let winner = || -> MemberWork<'_> {
        Box::new(|tx| match query_number(tx, "SELECT COUNT(*) FROM tills")? {
            0 => insert_till(tx, 1),
            _ => Ok(()),
        })
    };
    for end in run_in_one_group(&database, vec![winner(), winner(), winner()]) {
        end.unwrap().unwrap();
    }
    assert_eq!(query_committed(&database, "SELECT COUNT(*) FROM tills"), 1);
}

#[test]
fn panic_propagates_to_its_thread_and_other_members_are_retried() {
    let folder = DatabaseFolder::new();
    let database = folder.database(&test_limits());
    let (before, after) = (AtomicU32::new(0), AtomicU32::new(0));
    let ends = run_in_one_group(
        &database,
        vec![
            increment_till(1, &before),
            Box::new(|tx| {
                insert_till(tx, 2)?;
                panic!("the third drawer");
            }),
            increment_till(3, &after),
        ],
    );
    let panic = ends[1].as_ref().unwrap_err();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"the third drawer"));
    assert_eq!((&ends[0].as_ref().unwrap(), &ends[2].as_ref().unwrap()), (&&Ok(()), &&Ok(())));
    assert_eq!(query_committed(&database, "SELECT SUM(id) FROM tills"), 4);
    assert_eq!((before.into_inner(), after.into_inner()), (2, 1));
    run_write(&database, |tx| insert_till(tx, 5)).unwrap();
}

/// The connection gets no more pages, so SQLite rolls back the whole transaction, including the
/// savepoints of all members.
fn fill_disk(tx: &mut Transaction<'_>) -> StoreResult<()> {
    let pages = query_number(tx, "SELECT page_count FROM pragma_page_count()")?;
    execute_sql(tx, &format!("PRAGMA max_page_count = {pages}"))?;
    execute_sql(tx, "INSERT INTO heap VALUES (zeroblob(1000000))")
}

#[test]
fn full_disk_fails_its_member_and_retries_the_others() {
    let folder = DatabaseFolder::new();
    let database = folder.database(&test_limits());
    let (before, after) = (AtomicU32::new(0), AtomicU32::new(0));
    let ends =
        run_in_one_group(&database, vec![increment_till(1, &before), Box::new(fill_disk), increment_till(3, &after)]);
    let ends: Vec<_> = ends.into_iter().map(Result::unwrap).collect();
    assert_eq!((&ends[0], &ends[2]), (&Ok(()), &Ok(())));
    assert_eq!(ends[1], Err(StoreError::Unavailable("the disk is full".to_owned())));
    assert_eq!(query_committed(&database, "SELECT SUM(id) FROM tills"), 4);
    assert_eq!((before.into_inner(), after.into_inner()), (2, 1), "what ran before was lost with the transaction");
}

#[test]
fn ignored_full_disk_prevents_commit() {
    let folder = DatabaseFolder::new();
    let database = folder.database(&test_limits());
    let runs = AtomicU32::new(0);
    let ends = run_in_one_group(
        &database,
        vec![
            increment_till(1, &runs),
            Box::new(|tx| {
                drop(fill_disk(tx));
                Ok(())
            }),
        ],
    );
    let ends: Vec<_> = ends.into_iter().map(Result::unwrap).collect();
    assert_eq!(ends[0], Ok(()));
    assert!(matches!(&ends[1], Err(StoreError::Unavailable(_))), "{ends:?}");
    assert_eq!(query_committed(&database, "SELECT SUM(id) FROM tills"), 1);
}

#[test]
fn failed_commit_is_attributed_to_its_member() {
    let folder = DatabaseFolder::new();
    let database = folder.database(&test_limits());
    let runs = AtomicU32::new(0);
    let orphan: MemberWork<'_> = Box::new(|tx| execute_sql(tx, "INSERT INTO slips VALUES (4711)"));
    let ends = run_in_one_group(
        &database,
        vec![increment_till(1, &runs), orphan, increment_till(2, &runs), increment_till(3, &runs)],
    );
    let ends: Vec<_> = ends.into_iter().map(Result::unwrap).collect();
    assert_eq!([&ends[0], &ends[2], &ends[3]], [&Ok(()); 3]);
    assert!(matches!(&ends[1], Err(StoreError::Fault(say)) if say.contains("FOREIGN KEY")), "{ends:?}");
    assert_eq!(query_committed(&database, "SELECT SUM(id) FROM tills"), 6);
    assert_eq!(query_committed(&database, "SELECT COUNT(*) FROM slips"), 0);
    assert_eq!(runs.into_inner(), 6, "each ran once in the group and once apart");
}

#[test]
fn conflict_runs_at_most_five_times() {
    let folder = DatabaseFolder::new();
    let database = folder.database(&test_limits());
    let runs = AtomicU32::new(0);
    let end = run_write(&database, |tx| {
        runs.fetch_add(1, Ordering::Relaxed);
        insert_till(tx, 1)?;
        Err(StoreError::Conflict("again".to_owned()))
    });
    assert!(matches!(end, Err(StoreError::Unavailable(_))), "{end:?}");
    assert_eq!(runs.into_inner(), 5);
    assert_eq!(query_committed(&database, "SELECT COUNT(*) FROM tills"), 0);
}

#[test]
fn slow_member_delays_the_others_and_fails_none() {
    let folder = DatabaseFolder::new();
    let database = folder.database(&Limits { deadline: Duration::from_secs(5), ..Limits::default() });
    let runs = AtomicU32::new(0);
    let slow: MemberWork<'_> = Box::new(|tx| {
        insert_till(tx, 2)?;
        thread::sleep(Duration::from_millis(200));
        Ok(())
    });
    let ends = run_in_one_group(&database, vec![increment_till(1, &runs), slow, increment_till(3, &runs)]);
    for end in ends {
        assert_eq!(end.unwrap(), Ok(()));
    }
    assert_eq!(query_committed(&database, "SELECT SUM(id) FROM tills"), 6);
}

#[test]
fn writer_behind_a_hanging_member_times_out_without_running() {
    let folder = DatabaseFolder::new();
    let database = folder.database(&Limits { deadline: Duration::from_millis(200), ..Limits::default() });
    let ran = AtomicU32::new(0);
    let database = &database;
    thread::scope(|scope| {
        let (end, gate) = mpsc::channel::<()>();
        let (running, has_run) = mpsc::channel();
        let hanging = scope.spawn(move || {
            run_write(database, |tx| {
                running.send(()).unwrap();
                let _ = gate.recv();
                insert_till(tx, 1)
            })
        });
        has_run.recv().unwrap();
        let start = crate::deadline::monotonic_now();
        let waited = run_write(database, |tx| {
            ran.fetch_add(1, Ordering::Relaxed);
            insert_till(tx, 2)
        });
        assert!(matches!(waited, Err(StoreError::Unavailable(_))), "{waited:?}");
        let took = crate::deadline::elapsed_since(start);
        assert!(took >= Duration::from_millis(190) && took < Duration::from_secs(5), "{took:?}");
        assert_eq!(database.load().waiting, 0);
        drop(end);
        // It never waited, so its own deadline does not apply.
        hanging.join().unwrap().unwrap();
    });
    assert_eq!((ran.into_inner(), query_committed(database, "SELECT SUM(id) FROM tills")), (0, 1));
    run_write(database, |tx| insert_till(tx, 3)).unwrap();
}

#[test]
fn full_queue_is_unavailable_at_once() {
    let folder = DatabaseFolder::new();
    let database = folder.database(&Limits { waiting: 2, ..test_limits() });
    let runs = AtomicU32::new(0);
    let turned_away = AtomicU32::new(0);
    thread::scope(|scope| {
        let (end, gate) = mpsc::channel::<()>();
        let (running, has_run) = mpsc::channel();
        let database = &database;
        scope.spawn(move || {
            run_write(database, |_| {
                running.send(()).unwrap();
                let _ = gate.recv();
                Ok(())
            })
            .unwrap();
        });
        has_run.recv().unwrap();
        for id in 1..=2 {
            let runs = &runs;
            scope.spawn(move || run_write(database, increment_till(id, runs)).unwrap());
        }
        wait_until("two wait", || database.load().waiting == 2);
        let end_of_third = run_write(database, |tx| insert_till(tx, 3));
        assert!(matches!(end_of_third, Err(StoreError::Unavailable(_))), "{end_of_third:?}");
        turned_away.fetch_add(1, Ordering::Relaxed);
        drop(end);
    });
    assert_eq!(turned_away.into_inner(), 1);
    assert_eq!(query_committed(&database, "SELECT SUM(id) FROM tills"), 3);
}

#[test]
fn write_unit_that_only_reads_writes_nothing_to_disk() {
    let folder = DatabaseFolder::new();
    let database = folder.database(&test_limits());
    run_write(&database, |tx| insert_till(tx, 1)).unwrap();
    let log = || std::fs::read(folder.0.join("till.db-wal")).unwrap();
    let before = log();
    run_write(&database, |tx| query_number(tx, "SELECT COUNT(*) FROM tills").map(drop)).unwrap();
    assert!(before == log(), "the log has changed");
}

#[test]
fn commit_is_on_disk_before_it_is_acknowledged() {
    let folder = DatabaseFolder::new();
    let database = folder.database(&test_limits());
    run_write(&database, |tx| {
        assert_eq!(query_number(tx, "SELECT synchronous FROM pragma_synchronous()")?, 2);
        assert_eq!(query_number(tx, "SELECT foreign_keys FROM pragma_foreign_keys()")?, 1);
        assert_eq!(query_number(tx, "SELECT journal_mode = 'wal' FROM pragma_journal_mode()")?, 1);
        Ok(())
    })
    .unwrap();
}

/// Panics once.
struct PanickingObserver(std::sync::atomic::AtomicBool);

impl tillgate_domain::change::Observer for PanickingObserver {
    fn on_commit(&self, _: &[tillgate_domain::Change]) {
        assert!(self.0.swap(true, Ordering::Relaxed), "startled");
    }
}

#[test]
fn panicking_observer_blocks_no_writer() {
    let folder = DatabaseFolder::new();
    let database = folder.database(&test_limits());
    database.observe(std::sync::Arc::new(PanickingObserver(false.into())));
    let telling = |id: i64| -> MemberWork<'_> {
        Box::new(move |tx| {
            tx.written_changes.changes.push(tillgate_domain::Change::Invalidated(tillgate_domain::Scope::Clock));
            insert_till(tx, id)
        })
    };
    let ends = run_in_one_group(&database, vec![telling(1), telling(2)]);
    assert_eq!(ends.iter().filter(|end| end.is_err()).count(), 1, "it panics on the thread that committed");
    assert_eq!(query_committed(&database, "SELECT SUM(id) FROM tills"), 3);
    assert_eq!(run_write(&database, |tx| insert_till(tx, 4)), Ok(()));
}

#[test]
fn group_checks_once_whether_the_store_accepts_writes() {
    let folder = DatabaseFolder::new();
    let database = folder.database(&test_limits());
    let meta = "CREATE TABLE meta (id INTEGER PRIMARY KEY, state TEXT NOT NULL); INSERT INTO meta VALUES (1, 'open')";
    run_write(&database, |tx| execute_sql(tx, meta)).unwrap();
    let drain = |tx: &mut Transaction<'_>| {
        tx.write_connection()?;
        execute_sql(tx, "UPDATE meta SET state = 'draining'")
    };
    let write = |tx: &mut Transaction<'_>| tx.write_connection().map(drop);
    let ends = run_in_one_group(&database, vec![Box::new(drain), Box::new(write)]);
    assert!(ends.iter().all(|end| matches!(end, Ok(Ok(())))), "{ends:?}");
    let next = run_write(&database, write);
    assert!(matches!(next, Err(StoreError::Unavailable(_))), "{next:?}");
}
