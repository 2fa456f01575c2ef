//! Groups of writers: who is committed, who runs again, who is answered what. The members of a group are put into the queue one by
//! one behind a first one that keeps its turn until all have come.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::thread::{self, ScopedJoinHandle};
use std::time::Duration;

use tillgate_domain::{StoreError, Stored};

use crate::database::{Database, Limits};
use crate::transaction::Transaction;
use crate::trial::{Folder, add, committed, number, run, until, write};

type Body<'b> = Box<dyn FnMut(&mut Transaction<'_>) -> Stored<()> + Send + 'b>;

/// Runs the members in this order, in one group behind a first member, and returns what each was answered.
fn together(database: &Database, members: Vec<Body<'_>>) -> Vec<thread::Result<Stored<()>>> {
    let count = members.len();
    thread::scope(|scope| {
        let (go, gate) = mpsc::channel::<()>();
        let (running, has_run) = mpsc::channel();
        let first = scope.spawn(move || {
            write(database, |_| {
                running.send(()).unwrap();
                // At another run nobody sends any more.
                let _ = gate.recv();
                Ok(())
            })
        });
        has_run.recv().unwrap();
        let handles: Vec<ScopedJoinHandle<'_, Stored<()>>> = members
            .into_iter()
            .enumerate()
            .map(|(place, mut body)| {
                let handle = scope.spawn(move || write(database, &mut body));
                until("the next member has queued", || database.load().waiting == place + 1);
                handle
            })
            .collect();
        assert_eq!(database.load().waiting, count);
        drop(go);
        first.join().unwrap().unwrap();
        handles.into_iter().map(ScopedJoinHandle::join).collect()
    })
}

fn adding(id: i64, runs: &AtomicU32) -> Body<'_> {
    Box::new(move |tx| {
        runs.fetch_add(1, Ordering::Relaxed);
        add(tx, id)
    })
}

fn limits() -> Limits {
    Limits { deadline: Duration::from_secs(20), ..Limits::default() }
}

#[test]
fn a_crowd_is_committed_in_few_groups() {
    let folder = Folder::new();
    let database = crate::trial::with_tables(Database::create(&folder.address(), &limits()).unwrap());
    write(&database, |tx| add(tx, 1)).unwrap();
    thread::scope(|scope| {
        for _ in 0..64 {
            scope.spawn(|| {
                for _ in 0..20 {
                    write(&database, |tx| run(tx, "UPDATE tills SET n = n + 1 WHERE id = 1")).unwrap();
                }
            });
        }
    });
    assert_eq!(committed(&database, "SELECT n FROM tills"), 1280);
    let load = database.load();
    assert_eq!((load.grouped, load.waiting), (1282, 0));
    assert!(load.groups < load.grouped / 2, "{load:?}");
}

#[test]
fn a_failing_member_is_undone_alone() {
    let folder = Folder::new();
    let database = folder.database(&limits());
    let before = database.load().groups;
    let runs = AtomicU32::new(0);
    let fails = || -> Body<'_> {
        Box::new(|tx| {
            add(tx, 90)?;
            run(tx, "INSERT INTO nowhere VALUES (1)")
        })
    };
    let ends = together(&database, vec![adding(1, &runs), fails(), adding(2, &runs), fails(), adding(3, &runs)]);
    let ends: Vec<_> = ends.into_iter().map(Result::unwrap).collect();
    assert_eq!([&ends[0], &ends[2], &ends[4]], [&Ok(()); 3]);
    assert!(matches!(&ends[1], Err(StoreError::Fault(say)) if say.contains("nowhere")), "{ends:?}");
    assert!(matches!(&ends[3], Err(StoreError::Fault(_))), "{ends:?}");
    assert_eq!(committed(&database, "SELECT SUM(id) FROM tills"), 6);
    assert_eq!((runs.into_inner(), database.load().groups - before), (3, 1), "one group, and each ran once");
}

#[test]
fn a_member_sees_what_those_before_it_did_and_may_decide_by_it() {
    let folder = Folder::new();
    let database = folder.database(&limits());
    let winner = || -> Body<'_> {
        Box::new(|tx| match number(tx, "SELECT COUNT(*) FROM tills")? {
            0 => add(tx, 1),
            _ => Ok(()),
        })
    };
    for end in together(&database, vec![winner(), winner(), winner()]) {
        end.unwrap().unwrap();
    }
    assert_eq!(committed(&database, "SELECT COUNT(*) FROM tills"), 1);
}

#[test]
fn a_panic_is_its_own_threads_and_the_others_run_again() {
    let folder = Folder::new();
    let database = folder.database(&limits());
    let (before, after) = (AtomicU32::new(0), AtomicU32::new(0));
    let ends = together(
        &database,
        vec![
            adding(1, &before),
            Box::new(|tx| {
                add(tx, 2)?;
                panic!("the third drawer");
            }),
            adding(3, &after),
        ],
    );
    let panic = ends[1].as_ref().unwrap_err();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"the third drawer"));
    assert_eq!((&ends[0].as_ref().unwrap(), &ends[2].as_ref().unwrap()), (&&Ok(()), &&Ok(())));
    assert_eq!(committed(&database, "SELECT SUM(id) FROM tills"), 4);
    assert_eq!((before.into_inner(), after.into_inner()), (2, 1));
    write(&database, |tx| add(tx, 5)).unwrap();
}

/// The connection takes no more pages, so SQLite undoes the whole transaction, the savepoints of all with it.
fn fill(tx: &mut Transaction<'_>) -> Stored<()> {
    let pages = number(tx, "SELECT page_count FROM pragma_page_count()")?;
    run(tx, &format!("PRAGMA max_page_count = {pages}"))?;
    run(tx, "INSERT INTO heap VALUES (zeroblob(1000000))")
}

#[test]
fn a_full_disk_in_the_middle_fails_its_member_and_the_others_run_again() {
    let folder = Folder::new();
    let database = folder.database(&limits());
    let (before, after) = (AtomicU32::new(0), AtomicU32::new(0));
    let ends = together(&database, vec![adding(1, &before), Box::new(fill), adding(3, &after)]);
    let ends: Vec<_> = ends.into_iter().map(Result::unwrap).collect();
    assert_eq!((&ends[0], &ends[2]), (&Ok(()), &Ok(())));
    assert_eq!(ends[1], Err(StoreError::Unavailable("the disk is full".to_owned())));
    assert_eq!(committed(&database, "SELECT SUM(id) FROM tills"), 4);
    assert_eq!((before.into_inner(), after.into_inner()), (2, 1), "what ran before was lost with the transaction");
}

#[test]
fn who_passes_over_a_full_disk_is_not_committed() {
    let folder = Folder::new();
    let database = folder.database(&limits());
    let runs = AtomicU32::new(0);
    let ends = together(
        &database,
        vec![
            adding(1, &runs),
            Box::new(|tx| {
                drop(fill(tx));
                Ok(())
            }),
        ],
    );
    let ends: Vec<_> = ends.into_iter().map(Result::unwrap).collect();
    assert_eq!(ends[0], Ok(()));
    assert!(matches!(&ends[1], Err(StoreError::Unavailable(_))), "{ends:?}");
    assert_eq!(committed(&database, "SELECT SUM(id) FROM tills"), 1);
}

#[test]
fn a_commit_that_fails_finds_the_one_whose_doing_it_was() {
    let folder = Folder::new();
    let database = folder.database(&limits());
    let runs = AtomicU32::new(0);
    let orphan: Body<'_> = Box::new(|tx| run(tx, "INSERT INTO slips VALUES (4711)"));
    let ends = together(&database, vec![adding(1, &runs), orphan, adding(2, &runs), adding(3, &runs)]);
    let ends: Vec<_> = ends.into_iter().map(Result::unwrap).collect();
    assert_eq!([&ends[0], &ends[2], &ends[3]], [&Ok(()); 3]);
    assert!(matches!(&ends[1], Err(StoreError::Fault(say)) if say.contains("FOREIGN KEY")), "{ends:?}");
    assert_eq!(committed(&database, "SELECT SUM(id) FROM tills"), 6);
    assert_eq!(committed(&database, "SELECT COUNT(*) FROM slips"), 0);
    assert_eq!(runs.into_inner(), 6, "each ran once in the group and once apart");
}

#[test]
fn a_conflict_runs_five_times_and_no_more() {
    let folder = Folder::new();
    let database = folder.database(&limits());
    let runs = AtomicU32::new(0);
    let end = write(&database, |tx| {
        runs.fetch_add(1, Ordering::Relaxed);
        add(tx, 1)?;
        Err(StoreError::Conflict("again".to_owned()))
    });
    assert!(matches!(end, Err(StoreError::Unavailable(_))), "{end:?}");
    assert_eq!(runs.into_inner(), 5);
    assert_eq!(committed(&database, "SELECT COUNT(*) FROM tills"), 0);
}

#[test]
fn a_slow_member_holds_up_the_others_and_fails_none() {
    let folder = Folder::new();
    let database = folder.database(&Limits { deadline: Duration::from_secs(5), ..Limits::default() });
    let runs = AtomicU32::new(0);
    let slow: Body<'_> = Box::new(|tx| {
        add(tx, 2)?;
        thread::sleep(Duration::from_millis(200));
        Ok(())
    });
    let ends = together(&database, vec![adding(1, &runs), slow, adding(3, &runs)]);
    for end in ends {
        assert_eq!(end.unwrap(), Ok(()));
    }
    assert_eq!(committed(&database, "SELECT SUM(id) FROM tills"), 6);
}

#[test]
fn who_waits_behind_a_hanging_member_leaves_at_the_deadline_and_was_not_run() {
    let folder = Folder::new();
    let database = folder.database(&Limits { deadline: Duration::from_millis(200), ..Limits::default() });
    let ran = AtomicU32::new(0);
    let database = &database;
    thread::scope(|scope| {
        let (end, gate) = mpsc::channel::<()>();
        let (running, has_run) = mpsc::channel();
        let hanging = scope.spawn(move || {
            write(database, |tx| {
                running.send(()).unwrap();
                let _ = gate.recv();
                add(tx, 1)
            })
        });
        has_run.recv().unwrap();
        let start = crate::deadline::now();
        let waited = write(database, |tx| {
            ran.fetch_add(1, Ordering::Relaxed);
            add(tx, 2)
        });
        assert!(matches!(waited, Err(StoreError::Unavailable(_))), "{waited:?}");
        let took = crate::deadline::since(start);
        assert!(took >= Duration::from_millis(190) && took < Duration::from_secs(5), "{took:?}");
        assert_eq!(database.load().waiting, 0);
        drop(end);
        // It never waited, so its own deadline has nothing to say.
        hanging.join().unwrap().unwrap();
    });
    assert_eq!((ran.into_inner(), committed(database, "SELECT SUM(id) FROM tills")), (0, 1));
    write(database, |tx| add(tx, 3)).unwrap();
}

#[test]
fn the_one_too_many_is_unavailable_at_once() {
    let folder = Folder::new();
    let database = folder.database(&Limits { waiting: 2, ..limits() });
    let runs = AtomicU32::new(0);
    let turned_away = AtomicU32::new(0);
    thread::scope(|scope| {
        let (end, gate) = mpsc::channel::<()>();
        let (running, has_run) = mpsc::channel();
        let database = &database;
        scope.spawn(move || {
            write(database, |_| {
                running.send(()).unwrap();
                let _ = gate.recv();
                Ok(())
            })
            .unwrap();
        });
        has_run.recv().unwrap();
        for id in 1..=2 {
            let runs = &runs;
            scope.spawn(move || write(database, adding(id, runs)).unwrap());
        }
        until("two wait", || database.load().waiting == 2);
        let end_of_third = write(database, |tx| add(tx, 3));
        assert!(matches!(end_of_third, Err(StoreError::Unavailable(_))), "{end_of_third:?}");
        turned_away.fetch_add(1, Ordering::Relaxed);
        drop(end);
    });
    assert_eq!(turned_away.into_inner(), 1);
    assert_eq!(committed(&database, "SELECT SUM(id) FROM tills"), 3);
}

#[test]
fn a_write_that_only_reads_costs_nothing_on_disk() {
    let folder = Folder::new();
    let database = folder.database(&limits());
    write(&database, |tx| add(tx, 1)).unwrap();
    let log = || std::fs::read(folder.0.join("till.db-wal")).unwrap();
    let before = log();
    write(&database, |tx| number(tx, "SELECT COUNT(*) FROM tills").map(drop)).unwrap();
    assert!(before == log(), "the log has changed");
}

#[test]
fn a_commit_is_on_disk_before_it_is_answered() {
    let folder = Folder::new();
    let database = folder.database(&limits());
    write(&database, |tx| {
        assert_eq!(number(tx, "SELECT synchronous FROM pragma_synchronous()")?, 2);
        assert_eq!(number(tx, "SELECT foreign_keys FROM pragma_foreign_keys()")?, 1);
        assert_eq!(number(tx, "SELECT journal_mode = 'wal' FROM pragma_journal_mode()")?, 1);
        Ok(())
    })
    .unwrap();
}

/// Panics once.
struct Startled(std::sync::atomic::AtomicBool);

impl tillgate_domain::change::Observer for Startled {
    fn committed(&self, _: &[tillgate_domain::Change]) {
        assert!(self.0.swap(true, Ordering::Relaxed), "startled");
    }
}

#[test]
fn an_observer_that_panics_leaves_nobody_waiting() {
    let folder = Folder::new();
    let database = folder.database(&limits());
    database.observe(std::sync::Arc::new(Startled(false.into())));
    let telling = |id: i64| -> Body<'_> {
        Box::new(move |tx| {
            tx.written.changes.push(tillgate_domain::Change::Touched(tillgate_domain::Scope::Clock));
            add(tx, id)
        })
    };
    let ends = together(&database, vec![telling(1), telling(2)]);
    assert_eq!(ends.iter().filter(|end| end.is_err()).count(), 1, "it panics on the thread that committed");
    assert_eq!(committed(&database, "SELECT SUM(id) FROM tills"), 3);
    assert_eq!(write(&database, |tx| add(tx, 4)), Ok(()));
}
