//! The feed: what has changed, for every process that follows.

use std::collections::BTreeSet;

use tillgate_auth_core::ports::{Bookmark, Cursor, Found, Look};
use tillgate_domain::{Change, EndedWhy, Epoch, Instant, Scope, StoreError, StoreExt};

use crate::Bench;
use crate::meeting::{Signal, both};
use crate::shop::{Shop, add, at, read, session_id, write};
use crate::watcher::Watcher;

fn look(bench: &Bench, from: Option<&Bookmark>) -> Look {
    read(bench, |tx| tx.feed().look(from))
}

fn touch(bench: &Bench, scope: Scope, seconds: u64) {
    write(bench, |tx| tx.endings().touch(scope, at(seconds)));
}

fn has(look: &Look, scope: Scope) -> bool {
    look.changes.iter().any(|found| found.change == Change::Touched(scope))
}

/// Every kind of change comes back as it was written, with its instant, oldest first.
pub fn changes_come_back_oldest_first(bench: &Bench) {
    let shop = Shop::open(bench);
    add(bench, &[shop.session(1)]);
    let start = look(bench, None).changes.len();
    write(bench, |tx| tx.endings().end(session_id(1), EndedWhy::Logout, at(30)));
    write(bench, |tx| {
        tx.endings().raise(Scope::User(shop.anna.id), EndedWhy::Admin, at(20))?;
        tx.endings().raise(Scope::Device(shop.till.id), EndedWhy::Admin, at(21))?;
        tx.endings().raise(Scope::Tenant(shop.tenant.id), EndedWhy::Admin, at(22)).map(drop)
    });
    let touched = [
        Scope::User(shop.ben.id),
        Scope::Device(shop.handheld.id),
        Scope::Tenant(shop.other.id),
        Scope::Keys,
        Scope::Clock,
    ];
    for (scope, seconds) in touched.into_iter().zip(40..) {
        touch(bench, scope, seconds);
    }
    let raised = |scope| Change::Raised { scope, epoch: Epoch(1) };
    let mut expected = vec![
        (Change::Ended(session_id(1)), at(30)),
        (raised(Scope::User(shop.anna.id)), at(20)),
        (raised(Scope::Device(shop.till.id)), at(21)),
        (raised(Scope::Tenant(shop.tenant.id)), at(22)),
    ];
    expected.extend(touched.map(Change::Touched).into_iter().zip((40..).map(at)));
    let found = look(bench, None).changes;
    let told: Vec<(Change, Instant)> = found.iter().skip(start).map(|found| (found.change, found.at)).collect();
    assert_eq!(told, expected, "in the order of writing, not of their instants");
    let numbers: BTreeSet<i64> = found.iter().map(|found| found.number).collect();
    assert_eq!(numbers.len(), found.len(), "each has a number of its own");
}

/// A look from a cursor finds everything that was committed since the look that gave it.
pub fn a_cursor_goes_on_from_its_look(bench: &Bench) {
    let shop = Shop::open(bench);
    let mut cursor = look(bench, None).next;
    for scope in [Scope::User(shop.anna.id), Scope::Device(shop.till.id), Scope::Keys] {
        touch(bench, scope, 9);
        let next = look(bench, Some(&cursor));
        assert!(has(&next, scope), "{scope:?}");
        cursor = next.next;
    }
    let idle = look(bench, Some(&cursor));
    touch(bench, Scope::Clock, 9);
    assert!(has(&look(bench, Some(&idle.next)), Scope::Clock), "after a look that found nothing new");
}

/// A cursor leaves behind what is old: a process that follows does not read everything each time.
pub fn a_cursor_leaves_the_old_behind(bench: &Bench) {
    let shop = Shop::open(bench);
    for _ in 0..20 {
        touch(bench, Scope::User(shop.anna.id), 9);
    }
    let next = look(bench, None).next;
    touch(bench, Scope::Keys, 9);
    let found = look(bench, Some(&next));
    assert!(has(&found, Scope::Keys) && !has(&found, Scope::User(shop.anna.id)), "{found:?}");
    assert!(!found.anew);
    assert_eq!(look(bench, Some(&found.next)).changes, []);
}

/// What a unit of work that stays open keeps others from knowing is its own: what is committed meanwhile is found once, and what it
/// writes is found when it has ended.
pub fn what_stays_open_makes_nothing_come_again(bench: &Bench) {
    let shop = Shop::open(bench);
    let late = Scope::User(shop.anna.id);
    let (written, looked) = (Signal::default(), Signal::default());
    let ((), (seen, next)) = both(
        || {
            write(bench, |tx| {
                tx.endings().touch(late, at(9))?;
                written.give();
                looked.wait_briefly();
                Ok(())
            });
        },
        || {
            written.wait();
            let first = look(bench, None);
            let (mut seen, mut next) = (first.changes, first.next);
            for second in 10..20 {
                touch(bench, Scope::Device(shop.till.id), second);
                let found = look(bench, Some(&next));
                seen.extend(found.changes);
                next = found.next;
            }
            looked.give();
            (seen, next)
        },
    );
    let mut seen = seen;
    seen.extend(look(bench, Some(&next)).changes);
    let count = |scope| seen.iter().filter(|found| found.change == Change::Touched(scope)).count();
    assert_eq!(count(Scope::Device(shop.till.id)), 10, "each once: {seen:?}");
    assert_eq!(count(late), 1, "{seen:?}");
}

/// A bookmark names what was open, oldest first, and never more than is before its end.
pub fn a_bookmark_says_how_far_everything_was_read(bench: &Bench) {
    let shop = Shop::open(bench);
    let before = look(bench, None).next;
    touch(bench, Scope::User(shop.anna.id), 9);
    let after = look(bench, Some(&before)).next;
    assert!(before.whole() <= after.whole() && before.cursor < after.cursor, "{before:?}, then {after:?}");
    for next in [before, after] {
        assert!(next.open.is_sorted() && next.open.iter().all(|open| *open < next.cursor), "{next:?}");
    }
}

/// The observer is told the numbers of changes after the changes, and a look finds them by these numbers.
pub fn the_observer_is_told_the_numbers_of_changes(bench: &Bench) {
    let shop = Shop::open(bench);
    let watcher = Watcher::over(bench);
    let next = look(bench, None).next;
    touch(bench, Scope::User(shop.anna.id), 9);
    write(bench, |tx| {
        tx.endings().raise(Scope::Device(shop.till.id), EndedWhy::Admin, at(10))?;
        tx.endings().touch_each(&[Scope::User(shop.anna.id), Scope::User(shop.ben.id)], at(11))
    });
    let found = look(bench, Some(&next)).changes;
    assert_eq!(found.len(), 4, "{found:?}");
    let mut told = watcher.numbers();
    assert_eq!(watcher.changes(), found.iter().map(|found| found.change).collect::<Vec<_>>());
    told.sort_unstable();
    let mut numbers: Vec<i64> = found.iter().map(|found: &Found| found.number).collect();
    numbers.sort_unstable();
    assert_eq!(told, numbers);
}

/// A cursor from beyond the feed's end reads as none: the store went back.
pub fn a_cursor_from_beyond_the_end_reads_everything(bench: &Bench) {
    let shop = Shop::open(bench);
    touch(bench, Scope::User(shop.anna.id), 9);
    touch(bench, Scope::Keys, 9);
    for beyond in [look(bench, None).next.cursor.0 + 1_000_000_000, i64::MAX] {
        let whole = look(bench, None);
        let found = look(bench, Some(&Bookmark::at(Cursor(beyond))));
        assert_eq!(found.changes, whole.changes, "{beyond}");
        assert!(found.anew && whole.anew);
        touch(bench, Scope::Clock, 9);
        assert!(has(&look(bench, Some(&found.next)), Scope::Clock), "what it gave goes on from there");
    }
}

/// What was rolled back is never found.
pub fn what_was_rolled_back_is_not_found(bench: &Bench) {
    let shop = Shop::open(bench);
    let cursor = look(bench, None).next;
    let failed = bench.store.write(|tx| {
        tx.endings().touch(Scope::User(shop.anna.id), at(9))?;
        Err::<(), _>(StoreError::Fault("on purpose".into()))
    });
    assert!(failed.is_err());
    touch(bench, Scope::Keys, 9);
    for from in [None, Some(&cursor)] {
        let found = look(bench, from);
        assert!(has(&found, Scope::Keys) && !has(&found, Scope::User(shop.anna.id)), "{from:?}");
    }
}

/// A sweep removes changes that were written before the instant, `limit` at most, and says how many.
pub fn old_changes_are_swept(bench: &Bench) {
    let shop = Shop::open(bench);
    write(bench, |tx| tx.feed().sweep(at(10_000_000), 1000));
    for (scope, seconds) in [
        (Scope::User(shop.anna.id), 10),
        (Scope::User(shop.ben.id), 20),
        (Scope::Device(shop.till.id), 30),
        (Scope::Keys, 40),
        (Scope::Clock, 15),
    ] {
        touch(bench, scope, seconds);
    }
    let sweep = |limit| write(bench, |tx| tx.feed().sweep(at(25), limit));
    assert_eq!([sweep(2), sweep(10), sweep(10)], [2, 1, 0]);
    let left: Vec<Change> = look(bench, None).changes.into_iter().map(|found| found.change).collect();
    assert_eq!(left, [Change::Touched(Scope::Device(shop.till.id)), Change::Touched(Scope::Keys)]);
}

/// A cursor stays good where everything was swept: what comes after is found by it.
pub fn a_cursor_outlives_a_sweep(bench: &Bench) {
    let shop = Shop::open(bench);
    touch(bench, Scope::User(shop.anna.id), 9);
    touch(bench, Scope::User(shop.ben.id), 9);
    let cursor = look(bench, None).next;
    assert_eq!(write(bench, |tx| tx.feed().sweep(at(10), 1000)), 2);
    touch(bench, Scope::Keys, 20);
    assert!(has(&look(bench, Some(&cursor)), Scope::Keys));
}
