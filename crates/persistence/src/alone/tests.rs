//! Units of work in transactions of their own: reading on both databases, writing on PostgreSQL.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Barrier, mpsc};
use std::thread;
use std::time::Duration;

use tillgate_domain::StoreError;
use tillgate_testkit::postgres::{Server, server};

use crate::database::{Address, Database, Limits};
use crate::deadline::{now, since};
use crate::trial::{Folder, add, committed, number, postgres, read, run, with_tables, write};

fn shop(url: &str) -> &str {
    url.rsplit('/').next().unwrap()
}

#[test]
fn a_reading_sees_one_moment() {
    let folder = Folder::new();
    for database in [folder.database(&Limits::default()), postgres(&Limits::default()).1] {
        read(&database, |tx| {
            assert_eq!(number(tx, "SELECT COUNT(*) FROM tills")?, 0);
            thread::scope(|scope| scope.spawn(|| write(&database, |tx| add(tx, 1))).join().unwrap())?;
            assert_eq!(number(tx, "SELECT COUNT(*) FROM tills")?, 0);
            Ok(())
        })
        .unwrap();
        assert_eq!(committed(&database, "SELECT COUNT(*) FROM tills"), 1);
    }
}

#[test]
fn a_reading_that_writes_is_a_fault() {
    let folder = Folder::new();
    for database in [folder.database(&Limits::default()), postgres(&Limits::default()).1] {
        let end = read(&database, |tx| add(tx, 1));
        assert!(matches!(end, Err(StoreError::Fault(_))), "{end:?}");
        assert_eq!(committed(&database, "SELECT COUNT(*) FROM tills"), 0);
    }
}

#[test]
fn an_error_and_a_panic_undo_everything_and_leave_the_pool_sound() {
    let limits = Limits { connections: 1, ..Limits::default() };
    let (_, database) = postgres(&limits);
    let end = write(&database, |tx| {
        add(tx, 1)?;
        Err(StoreError::Fault("changed my mind".to_owned()))
    });
    assert_eq!(end, Err(StoreError::Fault("changed my mind".to_owned())));
    let panicked = thread::scope(|scope| {
        scope
            .spawn(|| {
                write(&database, |tx| {
                    add(tx, 2)?;
                    panic!("the third drawer")
                })
            })
            .join()
    });
    assert!(panicked.is_err());
    assert_eq!(committed(&database, "SELECT COUNT(*) FROM tills"), 0);
}

#[test]
fn who_passes_over_a_failed_statement_is_not_committed() {
    let (_, database) = postgres(&Limits::default());
    let end = write(&database, |tx| {
        add(tx, 1)?;
        drop(run(tx, "INSERT INTO nowhere VALUES (1)"));
        Ok(())
    });
    assert!(matches!(end, Err(StoreError::Fault(_))), "{end:?}");
    assert_eq!(committed(&database, "SELECT COUNT(*) FROM tills"), 0);
}

#[test]
fn a_deadlock_is_run_again() {
    let (_, database) = postgres(&Limits { deadline: Duration::from_secs(10), ..Limits::default() });
    write(&database, |tx| add(tx, 1).and_then(|()| add(tx, 2))).unwrap();
    let meet = Barrier::new(2);
    let runs = AtomicU32::new(0);
    let crossing = |first: i64, second: i64| {
        let mut met = false;
        write(&database, |tx| {
            runs.fetch_add(1, Ordering::Relaxed);
            run(tx, &format!("UPDATE tills SET n = n + 1 WHERE id = {first}"))?;
            if !std::mem::replace(&mut met, true) {
                meet.wait();
            }
            run(tx, &format!("UPDATE tills SET n = n + 1 WHERE id = {second}"))
        })
    };
    thread::scope(|scope| {
        let other = scope.spawn(|| crossing(1, 2));
        assert_eq!(crossing(2, 1), Ok(()));
        assert_eq!(other.join().unwrap(), Ok(()));
    });
    // One of the two is chosen by the server, and on a busy machine once more.
    assert!(runs.into_inner() >= 3);
    assert_eq!(committed(&database, "SELECT SUM(n) FROM tills"), 4);
}

#[test]
fn a_connection_lost_before_commit_is_run_again() {
    let (url, database) = postgres(&Limits::default());
    let runs = AtomicU32::new(0);
    write(&database, |tx| {
        add(tx, 1)?;
        if runs.fetch_add(1, Ordering::Relaxed) == 0 {
            let backend = number(tx, "SELECT pg_backend_pid()")?;
            server().sql(shop(&url), &format!("SELECT pg_terminate_backend({backend}, 5000)")).unwrap();
        }
        run(tx, "UPDATE tills SET n = 7")
    })
    .unwrap();
    assert_eq!((runs.into_inner(), committed(&database, "SELECT n FROM tills")), (2, 7));
}

#[test]
fn connections_that_broke_in_the_pool_cost_no_run() {
    let (url, database) = postgres(&Limits { connections: 8, ..Limits::default() });
    let together = Barrier::new(8);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                read(&database, |_| {
                    together.wait();
                    Ok(())
                })
                .unwrap();
            });
        }
    });
    let others = "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity \
                  WHERE datname = current_database() AND pid <> pg_backend_pid()";
    assert_eq!(server().sql(shop(&url), others).unwrap(), "8");
    let runs = AtomicU32::new(0);
    write(&database, |tx| {
        runs.fetch_add(1, Ordering::Relaxed);
        add(tx, 1)
    })
    .unwrap();
    assert_eq!(runs.into_inner(), 1);
}

#[test]
fn a_connection_lost_in_commit_is_unavailable() {
    let (_, database) = postgres(&Limits::default());
    write(&database, |tx| {
        run(
            tx,
            "CREATE FUNCTION quit() RETURNS trigger LANGUAGE plpgsql AS \
             'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(5); RETURN NULL; END';
             CREATE CONSTRAINT TRIGGER quit AFTER INSERT ON tills DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION quit()",
        )
    })
    .unwrap();
    let runs = AtomicU32::new(0);
    let end = write(&database, |tx| {
        runs.fetch_add(1, Ordering::Relaxed);
        add(tx, 1)
    });
    assert!(matches!(&end, Err(StoreError::Unavailable(say)) if say.contains("COMMIT")), "{end:?}");
    assert_eq!(runs.into_inner(), 1);
}

#[test]
fn a_commit_that_the_server_refuses_is_a_fault() {
    let (_, database) = postgres(&Limits::default());
    let end = write(&database, |tx| run(tx, "INSERT INTO slips VALUES (4711)"));
    assert!(matches!(&end, Err(StoreError::Fault(say)) if say.contains("slips_till_fkey")), "{end:?}");
    assert_eq!(committed(&database, "SELECT COUNT(*) FROM slips"), 0);
}

#[test]
fn a_lock_that_is_held_is_unavailable_at_the_deadline() {
    let (_, database) = postgres(&Limits { deadline: Duration::from_millis(300), ..Limits::default() });
    write(&database, |tx| add(tx, 1)).unwrap();
    thread::scope(|scope| {
        let (end, gate) = mpsc::channel::<()>();
        let (locked, has_locked) = mpsc::channel();
        let database = &database;
        scope.spawn(move || {
            write(database, |tx| {
                run(tx, "UPDATE tills SET n = 1")?;
                locked.send(()).unwrap();
                let _ = gate.recv();
                Ok(())
            })
            .unwrap();
        });
        has_locked.recv().unwrap();
        let start = now();
        let waited = write(database, |tx| run(tx, "UPDATE tills SET n = 2"));
        let took = since(start);
        assert!(matches!(waited, Err(StoreError::Unavailable(_))), "{waited:?}");
        assert!(took >= Duration::from_millis(250) && took < Duration::from_secs(3), "{took:?}");
        drop(end);
    });
    assert_eq!(committed(&database, "SELECT n FROM tills"), 1);
}

#[test]
fn no_connection_that_comes_free_is_unavailable_and_one_too_many_at_once() {
    let limits = Limits { deadline: Duration::from_millis(400), waiting: 1, connections: 1, ..Limits::default() };
    let (_, database) = postgres(&limits);
    let (done, gate) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let (held, is_held) = mpsc::channel();
        let database = &database;
        scope.spawn(move || {
            read(database, |_| {
                held.send(()).unwrap();
                let _ = gate.recv();
                Ok(())
            })
            .unwrap();
        });
        is_held.recv().unwrap();
        assert_eq!((database.load().busy, database.load().idle), (1, 0));
        let start = now();
        let waits = scope.spawn(move || read(database, |_| Ok(())));
        crate::trial::until("one waits", || database.load().waiting == 1);
        let turned_away = read(database, |_| Ok(()));
        assert!(since(start) < Duration::from_millis(400));
        assert!(matches!(turned_away, Err(StoreError::Unavailable(_))), "{turned_away:?}");
        let waited = waits.join().unwrap();
        assert!(matches!(waited, Err(StoreError::Unavailable(_))), "{waited:?}");
        drop(done);
    });
    read(&database, |_| Ok(())).unwrap();
}

#[test]
fn a_server_that_is_gone_is_unavailable_and_may_come_back() {
    let server = Server::start(&[]).unwrap();
    let address = Address::parse(&server.create_database(), std::path::Path::new("/")).unwrap();
    let database = with_tables(Database::create(&address, &Limits::default()).unwrap());
    server.crash().unwrap();
    for mode in [write(&database, |tx| add(tx, 1)), read(&database, |_| Ok(()))] {
        assert!(matches!(mode, Err(StoreError::Unavailable(_))), "{mode:?}");
    }
    assert!(Database::create(&address, &Limits::default()).is_err());
    server.resume().unwrap();
    crate::trial::until("the server is back", || write(&database, |tx| add(tx, 1)).is_ok());
}

#[test]
fn what_a_role_may_not_do_is_a_fault_and_a_read_only_database_is_unavailable() {
    let (url, database) = postgres(&Limits::default());
    server().sql(shop(&url), "CREATE ROLE guest_of_tills LOGIN").unwrap();
    let guest = Address::parse(&url.replace("tillgate@", "guest_of_tills@"), std::path::Path::new("/")).unwrap();
    let guest = Database::create(&guest, &Limits::default()).unwrap();
    let end = write(&guest, |tx| add(tx, 1));
    assert_eq!(end, Err(StoreError::Fault("permission denied for table tills".to_owned())));
    server()
        .sql(
            shop(&url),
            "ALTER ROLE guest_of_tills SET default_transaction_read_only = on; GRANT ALL ON tills TO guest_of_tills",
        )
        .unwrap();
    drop(guest);
    let guest = Address::parse(&url.replace("tillgate@", "guest_of_tills@"), std::path::Path::new("/")).unwrap();
    let guest = Database::create(&guest, &Limits::default()).unwrap();
    let end = write(&guest, |tx| add(tx, 1));
    assert!(matches!(end, Err(StoreError::Unavailable(_))), "{end:?}");
    assert_eq!(committed(&database, "SELECT COUNT(*) FROM tills"), 0);
}

#[test]
fn too_many_connections_are_unavailable() {
    let server = Server::start(&["max_connections = 6", "superuser_reserved_connections = 3"]).unwrap();
    let url = server.create_database();
    server.sql("postgres", "CREATE ROLE till LOGIN").unwrap();
    let address = Address::parse(&url.replace("tillgate@", "till@"), std::path::Path::new("/")).unwrap();
    let database =
        Database::create(&address, &Limits { deadline: Duration::from_millis(700), ..Limits::default() }).unwrap();
    let together = Barrier::new(3);
    let ends: Vec<_> = thread::scope(|scope| {
        let handles: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    read(&database, |_| {
                        together.wait();
                        thread::sleep(Duration::from_millis(1500));
                        Ok(())
                    })
                })
            })
            .collect();
        crate::trial::until("all are taken", || database.load().busy == 3);
        let fourth = read(&database, |_| Ok(()));
        assert!(matches!(&fourth, Err(StoreError::Unavailable(_))), "{fourth:?}");
        handles.into_iter().map(|handle| handle.join().unwrap()).collect()
    });
    assert_eq!(ends, vec![Ok(()); 3]);
}
