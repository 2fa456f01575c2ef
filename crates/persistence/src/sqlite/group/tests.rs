//! That the lock is let go, with a second party that asks for it seldom.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::*;
use crate::trial::{Folder, run};

#[test]
fn the_lock_is_let_go_long_enough_to_be_met() {
    let folder = Folder::new();
    let path = folder.0.join("till.db");
    crate::sqlite::file::make(&path).unwrap();
    let mut group = Group::new(path.clone(), &Limits::default(), Closing::default());
    let deadline = Deadline::after(Duration::from_mins(1));
    let mut turns = |statement: &str| {
        group.open(&deadline).unwrap();
        let mut work = |tx: &mut Transaction<'_>| {
            // Most of a group's span, so the moments between two groups are short against it.
            thread::sleep(Duration::from_millis(4));
            run(tx, statement)
        };
        let mut job: Job<'_> = &mut work;
        let ran = group.run(Number::new(), &mut job);
        assert!(matches!(ran, Ran::Kept(Ok(()), _)));
        group.commit().unwrap();
    };
    turns("CREATE TABLE tills (n INTEGER)");
    let stop = AtomicBool::new(false);
    let met = thread::scope(|scope| {
        let other = scope.spawn(|| {
            let mut other = sqlite::writing(&path, Duration::ZERO, 1 << 20).unwrap();
            let mut met = 0;
            while !stop.load(Ordering::Relaxed) {
                if other.batch_execute("BEGIN IMMEDIATE; COMMIT").is_ok() {
                    met += 1;
                }
                thread::sleep(Duration::from_micros(500));
            }
            met
        });
        let start = now();
        while since(start) < Duration::from_millis(600) {
            turns("INSERT INTO tills VALUES (1)");
        }
        stop.store(true, Ordering::Relaxed);
        other.join().unwrap()
    });
    // Let go every 20 ms, it is met some 30 times; between two groups without a pause, hardly ever.
    println!("met {met} times");
    assert!(met >= 12, "met {met} times only");
}
