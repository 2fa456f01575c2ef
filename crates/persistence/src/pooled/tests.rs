//! Units of work in transactions of their own: reads on both databases, writes on PostgreSQL.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Barrier, mpsc};
use std::thread;
use std::time::Duration;

use tillgate_domain::StoreError;
use tillgate_testkit::DatabaseEngine;
use tillgate_testkit::postgres::Server;

use crate::database::{Address, Database, Limits};
use crate::deadline::{elapsed_since, monotonic_now};
use crate::test_support::{
    DatabaseFolder, create_postgres, create_tables, execute_sql, insert_till, query_committed, query_number, run_read,
    run_write,
};

fn database_name(url: &str) -> &str {
    url.rsplit('/').next().unwrap()
}

tillgate_testkit::on_both_databases!(read_unit_sees_one_snapshot, write_in_read_unit_is_a_fault);

fn read_unit_sees_one_snapshot(engine: DatabaseEngine) {
    let folder = DatabaseFolder::new();
    let database = folder.open(engine);
    run_read(&database, |tx| {
        assert_eq!(query_number(tx, "SELECT COUNT(*) FROM tills")?, 0);
        thread::scope(|scope| scope.spawn(|| run_write(&database, |tx| insert_till(tx, 1))).join().unwrap())?;
        assert_eq!(query_number(tx, "SELECT COUNT(*) FROM tills")?, 0);
        Ok(())
    })
    .unwrap();
    assert_eq!(query_committed(&database, "SELECT COUNT(*) FROM tills"), 1);
}

fn write_in_read_unit_is_a_fault(engine: DatabaseEngine) {
    let folder = DatabaseFolder::new();
    let database = folder.open(engine);
    let end = run_read(&database, |tx| insert_till(tx, 1));
    assert!(matches!(end, Err(StoreError::Fault(_))), "{end:?}");
    assert_eq!(query_committed(&database, "SELECT COUNT(*) FROM tills"), 0);
}

#[test]
#[ignore = "requires PostgreSQL"]
fn error_and_panic_roll_back_and_leave_the_pool_usable() {
    let limits = Limits { connections: 1, ..Limits::default() };
    let (_, database) = create_postgres(&limits);
    let end = run_write(&database, |tx| {
        insert_till(tx, 1)?;
        Err(StoreError::Fault("changed my mind".to_owned()))
    });
    assert_eq!(end, Err(StoreError::Fault("changed my mind".to_owned())));
    let panicked = thread::scope(|scope| {
        scope
            .spawn(|| {
                run_write(&database, |tx| {
                    insert_till(tx, 2)?;
                    panic!("the third drawer")
                })
            })
            .join()
    });
    assert!(panicked.is_err());
    assert_eq!(query_committed(&database, "SELECT COUNT(*) FROM tills"), 0);
}

#[test]
#[ignore = "requires PostgreSQL"]
fn ignored_statement_failure_prevents_commit() {
    let (_, database) = create_postgres(&Limits::default());
    let end = run_write(&database, |tx| {
        insert_till(tx, 1)?;
        drop(execute_sql(tx, "INSERT INTO nowhere VALUES (1)"));
        Ok(())
    });
    assert!(matches!(end, Err(StoreError::Fault(_))), "{end:?}");
    assert_eq!(query_committed(&database, "SELECT COUNT(*) FROM tills"), 0);
}

#[test]
#[ignore = "requires PostgreSQL"]
fn deadlock_is_retried() {
    let (_, database) = create_postgres(&Limits { deadline: Duration::from_secs(10), ..Limits::default() });
    run_write(&database, |tx| insert_till(tx, 1).and_then(|()| insert_till(tx, 2))).unwrap();
    let meet = Barrier::new(2);
    let runs = AtomicU32::new(0);
    let crossing = |first: i64, second: i64| {
        let mut met = false;
        run_write(&database, |tx| {
            runs.fetch_add(1, Ordering::Relaxed);
            execute_sql(tx, &format!("UPDATE tills SET n = n + 1 WHERE id = {first}"))?;
            if !std::mem::replace(&mut met, true) {
                meet.wait();
            }
            execute_sql(tx, &format!("UPDATE tills SET n = n + 1 WHERE id = {second}"))
        })
    };
    thread::scope(|scope| {
        let other = scope.spawn(|| crossing(1, 2));
        assert_eq!(crossing(2, 1), Ok(()));
        assert_eq!(other.join().unwrap(), Ok(()));
    });
    // The server chooses one of the two, and on a busy machine once more.
    assert!(runs.into_inner() >= 3);
    assert_eq!(query_committed(&database, "SELECT SUM(n) FROM tills"), 4);
}

#[test]
#[ignore = "requires PostgreSQL"]
fn connection_lost_before_commit_is_retried() {
    let (url, database) = create_postgres(&Limits::default());
    let runs = AtomicU32::new(0);
    run_write(&database, |tx| {
        insert_till(tx, 1)?;
        if runs.fetch_add(1, Ordering::Relaxed) == 0 {
            let backend = query_number(tx, "SELECT pg_backend_pid()")?;
            tillgate_testkit::postgres::server()
                .sql(database_name(&url), &format!("SELECT pg_terminate_backend({backend}, 5000)"))
                .unwrap();
        }
        execute_sql(tx, "UPDATE tills SET n = 7")
    })
    .unwrap();
    assert_eq!((runs.into_inner(), query_committed(&database, "SELECT n FROM tills")), (2, 7));
}

#[test]
#[ignore = "requires PostgreSQL"]
fn broken_idle_connections_count_as_no_run() {
    let (url, database) = create_postgres(&Limits { connections: 8, ..Limits::default() });
    let together = Barrier::new(8);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                run_read(&database, |_| {
                    together.wait();
                    Ok(())
                })
                .unwrap();
            });
        }
    });
    let others = "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity \
                  WHERE datname = current_database() AND pid <> pg_backend_pid()";
    assert_eq!(tillgate_testkit::postgres::server().sql(database_name(&url), others).unwrap(), "8");
    let runs = AtomicU32::new(0);
    run_write(&database, |tx| {
        runs.fetch_add(1, Ordering::Relaxed);
        insert_till(tx, 1)
    })
    .unwrap();
    assert_eq!(runs.into_inner(), 1);
}

#[test]
#[ignore = "requires PostgreSQL"]
fn connection_lost_during_commit_is_unavailable() {
    let (_, database) = create_postgres(&Limits::default());
    run_write(&database, |tx| {
        execute_sql(
            tx,
            "CREATE FUNCTION quit() RETURNS trigger LANGUAGE plpgsql AS \
             'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(5); RETURN NULL; END';
             CREATE CONSTRAINT TRIGGER quit AFTER INSERT ON tills DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION quit()",
        )
    })
    .unwrap();
    let runs = AtomicU32::new(0);
    let end = run_write(&database, |tx| {
        runs.fetch_add(1, Ordering::Relaxed);
        insert_till(tx, 1)
    });
    assert!(matches!(&end, Err(StoreError::Unavailable(say)) if say.contains("COMMIT")), "{end:?}");
    assert_eq!(runs.into_inner(), 1);
}

#[test]
#[ignore = "requires PostgreSQL"]
fn commit_rejected_by_server_is_a_fault() {
    let (_, database) = create_postgres(&Limits::default());
    let end = run_write(&database, |tx| execute_sql(tx, "INSERT INTO slips VALUES (4711)"));
    assert!(matches!(&end, Err(StoreError::Fault(say)) if say.contains("slips_till_fkey")), "{end:?}");
    assert_eq!(query_committed(&database, "SELECT COUNT(*) FROM slips"), 0);
}

#[test]
#[ignore = "requires PostgreSQL"]
fn lock_held_past_deadline_is_unavailable() {
    let (_, database) = create_postgres(&Limits { deadline: Duration::from_millis(300), ..Limits::default() });
    run_write(&database, |tx| insert_till(tx, 1)).unwrap();
    thread::scope(|scope| {
        let (end, gate) = mpsc::channel::<()>();
        let (locked, has_locked) = mpsc::channel();
        let database = &database;
        scope.spawn(move || {
            run_write(database, |tx| {
                execute_sql(tx, "UPDATE tills SET n = 1")?;
                locked.send(()).unwrap();
                let _ = gate.recv();
                Ok(())
            })
            .unwrap();
        });
        has_locked.recv().unwrap();
        let start = monotonic_now();
        let waited = run_write(database, |tx| execute_sql(tx, "UPDATE tills SET n = 2"));
        let took = elapsed_since(start);
        assert!(matches!(waited, Err(StoreError::Unavailable(_))), "{waited:?}");
        assert!(took >= Duration::from_millis(250) && took < Duration::from_secs(3), "{took:?}");
        drop(end);
    });
    assert_eq!(query_committed(&database, "SELECT n FROM tills"), 1);
}

#[test]
#[ignore = "requires PostgreSQL"]
fn exhausted_pool_is_unavailable_at_deadline_and_full_queue_at_once() {
    let limits = Limits { deadline: Duration::from_millis(400), waiting: 1, connections: 1, ..Limits::default() };
    let (_, database) = create_postgres(&limits);
    let (done, gate) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let (held, is_held) = mpsc::channel();
        let database = &database;
        scope.spawn(move || {
            run_read(database, |_| {
                held.send(()).unwrap();
                let _ = gate.recv();
                Ok(())
            })
            .unwrap();
        });
        is_held.recv().unwrap();
        assert_eq!((database.load().busy, database.load().idle), (1, 0));
        let start = monotonic_now();
        let waits = scope.spawn(move || run_read(database, |_| Ok(())));
        crate::test_support::wait_until("one waits", || database.load().waiting == 1);
        let turned_away = run_read(database, |_| Ok(()));
        assert!(elapsed_since(start) < Duration::from_millis(400));
        assert!(matches!(turned_away, Err(StoreError::Unavailable(_))), "{turned_away:?}");
        let waited = waits.join().unwrap();
        assert!(matches!(waited, Err(StoreError::Unavailable(_))), "{waited:?}");
        drop(done);
    });
    run_read(&database, |_| Ok(())).unwrap();
}

#[test]
#[ignore = "requires PostgreSQL"]
fn stopped_server_is_unavailable_until_it_returns() {
    let server = Server::start(&[]).unwrap();
    let address = Address::parse(&server.create_database(), std::path::Path::new("/")).unwrap();
    let database = create_tables(Database::create(&address, &Limits::default()).unwrap());
    server.crash().unwrap();
    for mode in [run_write(&database, |tx| insert_till(tx, 1)), run_read(&database, |_| Ok(()))] {
        assert!(matches!(mode, Err(StoreError::Unavailable(_))), "{mode:?}");
    }
    assert!(Database::create(&address, &Limits::default()).is_err());
    server.resume().unwrap();
    crate::test_support::wait_until("the server is back", || run_write(&database, |tx| insert_till(tx, 1)).is_ok());
}

#[test]
#[ignore = "requires PostgreSQL"]
fn missing_privilege_is_a_fault_and_read_only_database_is_unavailable() {
    let (url, database) = create_postgres(&Limits::default());
    tillgate_testkit::postgres::server().sql(database_name(&url), "CREATE ROLE guest_of_tills LOGIN").unwrap();
    let guest = Address::parse(&url.replace("tillgate@", "guest_of_tills@"), std::path::Path::new("/")).unwrap();
    let guest = Database::create(&guest, &Limits::default()).unwrap();
    let end = run_write(&guest, |tx| insert_till(tx, 1));
    assert_eq!(end, Err(StoreError::Fault("permission denied for table tills".to_owned())));
    tillgate_testkit::postgres::server()
        .sql(
            database_name(&url),
            "ALTER ROLE guest_of_tills SET default_transaction_read_only = on; GRANT ALL ON tills TO guest_of_tills",
        )
        .unwrap();
    drop(guest);
    let guest = Address::parse(&url.replace("tillgate@", "guest_of_tills@"), std::path::Path::new("/")).unwrap();
    let guest = Database::create(&guest, &Limits::default()).unwrap();
    let end = run_write(&guest, |tx| insert_till(tx, 1));
    assert!(matches!(end, Err(StoreError::Unavailable(_))), "{end:?}");
    assert_eq!(query_committed(&database, "SELECT COUNT(*) FROM tills"), 0);
}

#[test]
#[ignore = "requires PostgreSQL"]
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
                    run_read(&database, |_| {
                        together.wait();
                        thread::sleep(Duration::from_millis(1500));
                        Ok(())
                    })
                })
            })
            .collect();
        crate::test_support::wait_until("all are taken", || database.load().busy == 3);
        let fourth = run_read(&database, |_| Ok(()));
        assert!(matches!(&fourth, Err(StoreError::Unavailable(_))), "{fourth:?}");
        handles.into_iter().map(|handle| handle.join().unwrap()).collect()
    });
    assert_eq!(ends, vec![Ok(()); 3]);
}
