//! The lock is released for another process that requests it rarely.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::*;
use crate::test_support::{DatabaseFolder, execute_sql};

#[test]
fn write_lock_is_released_long_enough_for_another_process() {
    let folder = DatabaseFolder::new();
    let path = folder.0.join("till.db");
    crate::sqlite::file::create_if_missing(&path).unwrap();
    let file = Arc::new(OpenedFile::open(&path).unwrap());
    let mut group = Group::new(file, &Limits::default(), GroupLimits::default());
    let deadline = Deadline::after(Duration::from_mins(1));
    let mut turns = |statement: &str| {
        group.open(&deadline).unwrap();
        let mut work = |tx: &mut Transaction<'_>| {
            // Most of a group's time, so that the moments between two groups are short compared
            // with it.
            thread::sleep(Duration::from_millis(4));
            execute_sql(tx, statement)
        };
        let mut job: TransactionWork<'_> = &mut work;
        let ran = group.run(DatabaseNumber::new(), &mut job);
        assert!(matches!(ran, MemberOutcome::Completed(Ok(()), _)));
        group.commit().unwrap();
    };
    turns("CREATE TABLE tills (n INTEGER)");
    let stop = AtomicBool::new(false);
    let met = thread::scope(|scope| {
        let other = scope.spawn(|| {
            let mut other = sqlite::connect_writer(&path, Duration::ZERO, 1 << 20).unwrap();
            let mut met = 0;
            while !stop.load(Ordering::Relaxed) {
                if other.batch_execute("BEGIN IMMEDIATE; COMMIT").is_ok() {
                    met += 1;
                }
                thread::sleep(Duration::from_micros(500));
            }
            met
        });
        let start = monotonic_now();
        while elapsed_since(start) < Duration::from_millis(600) {
            turns("INSERT INTO tills VALUES (1)");
        }
        stop.store(true, Ordering::Relaxed);
        other.join().unwrap()
    });
    // Released every 20 ms, it is acquired about 30 times; between two groups without a pause,
    // hardly ever.
    println!("met {met} times");
    assert!(met >= 12, "met {met} times only");
}
