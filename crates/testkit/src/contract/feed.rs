//! The feed: what has changed, for every process that follows.

use std::collections::BTreeSet;

use tillgate_auth_core::ports::{Bookmark, Cursor, FeedBatch, FeedEntry};
use tillgate_domain::{Change, EndReason, Epoch, Instant, Scope, StoreError, StoreExt};

use crate::AuthStoreHarness;
use crate::contract_fixture::{ContractFixture, after_start, insert_sessions, run_read, run_write, session_id};
use crate::recording_observer::RecordingObserver;
use crate::rendezvous::{ThreadSignal, run_both};

fn poll_feed(bench: &AuthStoreHarness, from: Option<&Bookmark>) -> FeedBatch {
    run_read(bench, |tx| tx.feed().poll(from))
}

fn record_touch(bench: &AuthStoreHarness, scope: Scope, seconds: u64) {
    run_write(bench, |tx| tx.revocations().invalidate(scope, after_start(seconds)));
}

fn has_touch(look: &FeedBatch, scope: Scope) -> bool {
    look.entries.iter().any(|found| found.change == Change::Invalidated(scope))
}

/// Every kind of change comes back as it was written, with its instant, oldest first.
pub fn changes_are_returned_oldest_first(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    insert_sessions(bench, &[shop.new_session(1)]);
    let start = poll_feed(bench, None).entries.len();
    run_write(bench, |tx| tx.revocations().end_session(session_id(1), EndReason::Logout, after_start(30)));
    run_write(bench, |tx| {
        tx.revocations().bump_epoch(Scope::User(shop.anna.id), EndReason::Admin, after_start(20))?;
        tx.revocations().bump_epoch(Scope::Device(shop.till.id), EndReason::Admin, after_start(21))?;
        tx.revocations().bump_epoch(Scope::Tenant(shop.tenant.id), EndReason::Admin, after_start(22)).map(drop)
    });
    let touched = [
        Scope::User(shop.ben.id),
        Scope::Device(shop.handheld.id),
        Scope::Tenant(shop.other_tenant.id),
        Scope::Keys,
        Scope::Clock,
    ];
    for (scope, seconds) in touched.into_iter().zip(40..) {
        record_touch(bench, scope, seconds);
    }
    let raised = |scope| Change::EpochBumped { scope, epoch: Epoch(1) };
    let mut expected = vec![
        (Change::SessionEnded(session_id(1)), after_start(30)),
        (raised(Scope::User(shop.anna.id)), after_start(20)),
        (raised(Scope::Device(shop.till.id)), after_start(21)),
        (raised(Scope::Tenant(shop.tenant.id)), after_start(22)),
    ];
    expected.extend(touched.map(Change::Invalidated).into_iter().zip((40..).map(after_start)));
    let found = poll_feed(bench, None).entries;
    let told: Vec<(Change, Instant)> = found.iter().skip(start).map(|found| (found.change, found.at)).collect();
    assert_eq!(told, expected, "in the order of writing, not of their instants");
    let numbers: BTreeSet<i64> = found.iter().map(|found| found.number).collect();
    assert_eq!(numbers.len(), found.len(), "each has a number of its own");
}

/// A look from a cursor finds everything that was committed since the look that gave it.
pub fn cursor_continues_from_its_read(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    let mut cursor = poll_feed(bench, None).next;
    for scope in [Scope::User(shop.anna.id), Scope::Device(shop.till.id), Scope::Keys] {
        record_touch(bench, scope, 9);
        let next = poll_feed(bench, Some(&cursor));
        assert!(has_touch(&next, scope), "{scope:?}");
        cursor = next.next;
    }
    let idle = poll_feed(bench, Some(&cursor));
    record_touch(bench, Scope::Clock, 9);
    assert!(has_touch(&poll_feed(bench, Some(&idle.next)), Scope::Clock), "after a look that found nothing new");
}

/// A cursor leaves behind what is old: a process that follows does not read everything each time.
pub fn cursor_skips_old_changes(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    for _ in 0..20 {
        record_touch(bench, Scope::User(shop.anna.id), 9);
    }
    let next = poll_feed(bench, None).next;
    record_touch(bench, Scope::Keys, 9);
    let found = poll_feed(bench, Some(&next));
    assert!(has_touch(&found, Scope::Keys) && !has_touch(&found, Scope::User(shop.anna.id)), "{found:?}");
    assert!(!found.restarted);
    assert_eq!(poll_feed(bench, Some(&found.next)).entries, []);
}

/// What a unit of work that stays open keeps others from knowing is its own: what is committed meanwhile is found once, and what it
/// writes is found when it has ended.
pub fn long_open_unit_repeats_no_change(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    let late = Scope::User(shop.anna.id);
    let (written, looked) = (ThreadSignal::default(), ThreadSignal::default());
    let ((), (seen, next)) = run_both(
        || {
            run_write(bench, |tx| {
                tx.revocations().invalidate(late, after_start(9))?;
                written.set();
                looked.wait_briefly();
                Ok(())
            });
        },
        || {
            written.wait();
            let first = poll_feed(bench, None);
            let (mut seen, mut next) = (first.entries, first.next);
            for second in 10..20 {
                record_touch(bench, Scope::Device(shop.till.id), second);
                let found = poll_feed(bench, Some(&next));
                seen.extend(found.entries);
                next = found.next;
            }
            looked.set();
            (seen, next)
        },
    );
    let mut seen = seen;
    seen.extend(poll_feed(bench, Some(&next)).entries);
    let count = |scope| seen.iter().filter(|found| found.change == Change::Invalidated(scope)).count();
    assert_eq!(count(Scope::Device(shop.till.id)), 10, "each once: {seen:?}");
    assert_eq!(count(late), 1, "{seen:?}");
}

/// A bookmark names what was open, oldest first, and never more than is before its end.
pub fn bookmark_names_open_units_and_the_end(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    let before = poll_feed(bench, None).next;
    record_touch(bench, Scope::User(shop.anna.id), 9);
    let after = poll_feed(bench, Some(&before)).next;
    assert!(
        before.applied_cursor() <= after.applied_cursor() && before.cursor < after.cursor,
        "{before:?}, then {after:?}"
    );
    for next in [before, after] {
        assert!(next.open.is_sorted() && next.open.iter().all(|open| *open < next.cursor), "{next:?}");
    }
}

/// The observer is told the numbers of changes after the changes, and a look finds them by these numbers.
pub fn observer_receives_the_numbers_of_changes(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    let watcher = RecordingObserver::observe(bench);
    let next = poll_feed(bench, None).next;
    record_touch(bench, Scope::User(shop.anna.id), 9);
    run_write(bench, |tx| {
        tx.revocations().bump_epoch(Scope::Device(shop.till.id), EndReason::Admin, after_start(10))?;
        tx.revocations().invalidate_all(&[Scope::User(shop.anna.id), Scope::User(shop.ben.id)], after_start(11))
    });
    let found = poll_feed(bench, Some(&next)).entries;
    assert_eq!(found.len(), 4, "{found:?}");
    let mut told = watcher.numbers();
    assert_eq!(watcher.changes(), found.iter().map(|found| found.change).collect::<Vec<_>>());
    told.sort_unstable();
    let mut numbers: Vec<i64> = found.iter().map(|found: &FeedEntry| found.number).collect();
    numbers.sort_unstable();
    assert_eq!(told, numbers);
}

/// A cursor from beyond the feed's end reads as none: the store went back.
pub fn cursor_beyond_the_end_reads_everything_again(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    record_touch(bench, Scope::User(shop.anna.id), 9);
    record_touch(bench, Scope::Keys, 9);
    for beyond in [poll_feed(bench, None).next.cursor.0 + 1_000_000_000, i64::MAX] {
        let whole = poll_feed(bench, None);
        let found = poll_feed(bench, Some(&Bookmark::from_cursor(Cursor(beyond))));
        assert_eq!(found.entries, whole.entries, "{beyond}");
        assert!(found.restarted && whole.restarted);
        record_touch(bench, Scope::Clock, 9);
        assert!(has_touch(&poll_feed(bench, Some(&found.next)), Scope::Clock), "what it gave goes on from there");
    }
}

/// What was rolled back is never found.
pub fn rolled_back_change_is_not_found(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    let cursor = poll_feed(bench, None).next;
    let failed = bench.store.write(|tx| {
        tx.revocations().invalidate(Scope::User(shop.anna.id), after_start(9))?;
        Err::<(), _>(StoreError::Fault("on purpose".into()))
    });
    assert!(failed.is_err());
    record_touch(bench, Scope::Keys, 9);
    for from in [None, Some(&cursor)] {
        let found = poll_feed(bench, from);
        assert!(has_touch(&found, Scope::Keys) && !has_touch(&found, Scope::User(shop.anna.id)), "{from:?}");
    }
}

/// A sweep removes changes that were written before the instant, `limit` at most, and says how many.
pub fn old_changes_are_swept(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    run_write(bench, |tx| tx.feed().sweep(after_start(10_000_000), 1000));
    for (scope, seconds) in [
        (Scope::User(shop.anna.id), 10),
        (Scope::User(shop.ben.id), 20),
        (Scope::Device(shop.till.id), 30),
        (Scope::Keys, 40),
        (Scope::Clock, 15),
    ] {
        record_touch(bench, scope, seconds);
    }
    let sweep = |limit| run_write(bench, |tx| tx.feed().sweep(after_start(25), limit));
    assert_eq!([sweep(2), sweep(10), sweep(10)], [2, 1, 0]);
    let left: Vec<Change> = poll_feed(bench, None).entries.into_iter().map(|found| found.change).collect();
    assert_eq!(left, [Change::Invalidated(Scope::Device(shop.till.id)), Change::Invalidated(Scope::Keys)]);
}

/// A cursor stays good where everything was swept: what comes after is found by it.
pub fn cursor_survives_a_sweep(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    record_touch(bench, Scope::User(shop.anna.id), 9);
    record_touch(bench, Scope::User(shop.ben.id), 9);
    let cursor = poll_feed(bench, None).next;
    assert_eq!(run_write(bench, |tx| tx.feed().sweep(after_start(10), 1000)), 2);
    record_touch(bench, Scope::Keys, 20);
    assert!(has_touch(&poll_feed(bench, Some(&cursor)), Scope::Keys));
}
