//! The change feed that other processes read.

use std::collections::BTreeSet;

use tillgate_auth_core::ports::{Bookmark, FeedBatch, FeedCursor, FeedEntry};
use tillgate_domain::{Change, EndReason, Epoch, Instant, Scope, StoreError, StoreExt};

use crate::AuthStoreHarness;
use crate::contract_fixture::{ContractFixture, after_start, insert_sessions, run_read, run_write, session_id};
use crate::recording_observer::RecordingObserver;
use crate::rendezvous::{ThreadSignal, run_both};

fn poll_feed(harness: &AuthStoreHarness, from: Option<&Bookmark>) -> FeedBatch {
    run_read(harness, |tx| tx.feed().poll(from))
}

fn record_touch(harness: &AuthStoreHarness, scope: Scope, seconds: u64) {
    run_write(harness, |tx| tx.revocations().invalidate(scope, after_start(seconds)));
}

fn has_touch(look: &FeedBatch, scope: Scope) -> bool {
    look.entries.iter().any(|found| found.change == Change::Invalidated(scope))
}

/// Every kind of change is read back as it was written, with its instant, oldest first.
pub fn changes_are_returned_oldest_first(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    insert_sessions(harness, &[fixture.new_session(1)]);
    let start = poll_feed(harness, None).entries.len();
    run_write(harness, |tx| tx.revocations().end_session(session_id(1), EndReason::Logout, after_start(30)));
    run_write(harness, |tx| {
        tx.revocations().bump_epoch(Scope::User(fixture.anna.id), EndReason::Admin, after_start(20))?;
        tx.revocations().bump_epoch(Scope::Device(fixture.till.id), EndReason::Admin, after_start(21))?;
        tx.revocations().bump_epoch(Scope::Tenant(fixture.tenant.id), EndReason::Admin, after_start(22)).map(drop)
    });
    let touched = [
        Scope::User(fixture.ben.id),
        Scope::Device(fixture.handheld.id),
        Scope::Tenant(fixture.other_tenant.id),
        Scope::Keys,
        Scope::Clock,
    ];
    for (scope, seconds) in touched.into_iter().zip(40..) {
        record_touch(harness, scope, seconds);
    }
    let raised = |scope| Change::EpochBumped { scope, epoch: Epoch(1) };
    let mut expected = vec![
        (Change::SessionEnded(session_id(1)), after_start(30)),
        (raised(Scope::User(fixture.anna.id)), after_start(20)),
        (raised(Scope::Device(fixture.till.id)), after_start(21)),
        (raised(Scope::Tenant(fixture.tenant.id)), after_start(22)),
    ];
    expected.extend(touched.map(Change::Invalidated).into_iter().zip((40..).map(after_start)));
    let found = poll_feed(harness, None).entries;
    let reported: Vec<(Change, Instant)> = found.iter().skip(start).map(|found| (found.change, found.at)).collect();
    assert_eq!(reported, expected, "in the order of writing, not of their instants");
    let numbers: BTreeSet<i64> = found.iter().map(|found| found.number).collect();
    assert_eq!(numbers.len(), found.len(), "each has its own number");
}

/// A read from a bookmark returns everything that was committed since the read that returned the
/// bookmark.
pub fn cursor_continues_from_its_read(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    let mut cursor = poll_feed(harness, None).next;
    for scope in [Scope::User(fixture.anna.id), Scope::Device(fixture.till.id), Scope::Keys] {
        record_touch(harness, scope, 9);
        let next = poll_feed(harness, Some(&cursor));
        assert!(has_touch(&next, scope), "{scope:?}");
        cursor = next.next;
    }
    let idle = poll_feed(harness, Some(&cursor));
    record_touch(harness, Scope::Clock, 9);
    assert!(has_touch(&poll_feed(harness, Some(&idle.next)), Scope::Clock), "after a read that found nothing new");
}

/// A bookmark skips old changes: a process that follows the feed does not read all of it each time.
pub fn cursor_skips_old_changes(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    for _ in 0..20 {
        record_touch(harness, Scope::User(fixture.anna.id), 9);
    }
    let next = poll_feed(harness, None).next;
    record_touch(harness, Scope::Keys, 9);
    let found = poll_feed(harness, Some(&next));
    assert!(has_touch(&found, Scope::Keys) && !has_touch(&found, Scope::User(fixture.anna.id)), "{found:?}");
    assert!(!found.restarted);
    assert_eq!(poll_feed(harness, Some(&found.next)).entries, []);
}

/// A unit of work that stays open hides only its own changes. What is committed meanwhile is
/// returned once, and what it writes is returned after it has ended.
pub fn long_open_unit_repeats_no_change(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    let late = Scope::User(fixture.anna.id);
    let (written, looked) = (ThreadSignal::default(), ThreadSignal::default());
    let ((), (seen, next)) = run_both(
        || {
            run_write(harness, |tx| {
                tx.revocations().invalidate(late, after_start(9))?;
                written.set();
                looked.wait_briefly();
                Ok(())
            });
        },
        || {
            written.wait();
            let first = poll_feed(harness, None);
            let (mut seen, mut next) = (first.entries, first.next);
            for second in 10..20 {
                record_touch(harness, Scope::Device(fixture.till.id), second);
                let found = poll_feed(harness, Some(&next));
                seen.extend(found.entries);
                next = found.next;
            }
            looked.set();
            (seen, next)
        },
    );
    let mut seen = seen;
    seen.extend(poll_feed(harness, Some(&next)).entries);
    let count = |scope| seen.iter().filter(|found| found.change == Change::Invalidated(scope)).count();
    assert_eq!(count(Scope::Device(fixture.till.id)), 10, "each once: {seen:?}");
    assert_eq!(count(late), 1, "{seen:?}");
}

/// A bookmark lists the transactions that were open, oldest first, and none beyond its end.
pub fn bookmark_names_open_units_and_the_end(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    let before = poll_feed(harness, None).next;
    record_touch(harness, Scope::User(fixture.anna.id), 9);
    let after = poll_feed(harness, Some(&before)).next;
    assert!(
        before.applied_cursor() <= after.applied_cursor() && before.cursor < after.cursor,
        "{before:?}, then {after:?}"
    );
    for next in [before, after] {
        assert!(next.open.is_sorted() && next.open.iter().all(|open| *open < next.cursor), "{next:?}");
    }
}

/// The observer receives the feed numbers of changes after the changes, and a read returns the
/// changes with the same numbers.
pub fn observer_receives_the_numbers_of_changes(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    let watcher = RecordingObserver::observe(harness);
    let next = poll_feed(harness, None).next;
    record_touch(harness, Scope::User(fixture.anna.id), 9);
    run_write(harness, |tx| {
        tx.revocations().bump_epoch(Scope::Device(fixture.till.id), EndReason::Admin, after_start(10))?;
        tx.revocations().invalidate_all(&[Scope::User(fixture.anna.id), Scope::User(fixture.ben.id)], after_start(11))
    });
    let found = poll_feed(harness, Some(&next)).entries;
    assert_eq!(found.len(), 4, "{found:?}");
    let mut reported = watcher.numbers();
    assert_eq!(watcher.changes(), found.iter().map(|found| found.change).collect::<Vec<_>>());
    reported.sort_unstable();
    let mut numbers: Vec<i64> = found.iter().map(|found: &FeedEntry| found.number).collect();
    numbers.sort_unstable();
    assert_eq!(reported, numbers);
}

/// A bookmark beyond the end of the feed, as after a restored backup, is treated as none.
pub fn cursor_beyond_the_end_reads_everything_again(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    record_touch(harness, Scope::User(fixture.anna.id), 9);
    record_touch(harness, Scope::Keys, 9);
    for beyond in [poll_feed(harness, None).next.cursor.0 + 1_000_000_000, i64::MAX] {
        let complete = poll_feed(harness, None);
        let found = poll_feed(harness, Some(&Bookmark::from_cursor(FeedCursor(beyond))));
        assert_eq!(found.entries, complete.entries, "{beyond}");
        assert!(found.restarted && complete.restarted);
        record_touch(harness, Scope::Clock, 9);
        assert!(
            has_touch(&poll_feed(harness, Some(&found.next)), Scope::Clock),
            "the new bookmark continues from there"
        );
    }
}

/// A change that was rolled back is never returned.
pub fn rolled_back_change_is_not_found(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    let cursor = poll_feed(harness, None).next;
    let failed = harness.store.write("test", |tx| {
        tx.revocations().invalidate(Scope::User(fixture.anna.id), after_start(9))?;
        Err::<(), _>(StoreError::Fault("on purpose".into()))
    });
    assert!(failed.is_err());
    record_touch(harness, Scope::Keys, 9);
    for from in [None, Some(&cursor)] {
        let found = poll_feed(harness, from);
        assert!(has_touch(&found, Scope::Keys) && !has_touch(&found, Scope::User(fixture.anna.id)), "{from:?}");
    }
}

/// A sweep removes at most `limit` changes written before the instant, and returns how many.
pub fn old_changes_are_swept(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    run_write(harness, |tx| tx.feed().sweep(after_start(10_000_000), 1000));
    for (scope, seconds) in [
        (Scope::User(fixture.anna.id), 10),
        (Scope::User(fixture.ben.id), 20),
        (Scope::Device(fixture.till.id), 30),
        (Scope::Keys, 40),
        (Scope::Clock, 15),
    ] {
        record_touch(harness, scope, seconds);
    }
    let sweep = |limit| run_write(harness, |tx| tx.feed().sweep(after_start(25), limit));
    assert_eq!([sweep(2), sweep(10), sweep(10)], [2, 1, 0]);
    let left: Vec<Change> = poll_feed(harness, None).entries.into_iter().map(|found| found.change).collect();
    assert_eq!(left, [Change::Invalidated(Scope::Device(fixture.till.id)), Change::Invalidated(Scope::Keys)]);
}

/// A bookmark stays valid after a sweep of everything: later changes are returned.
pub fn cursor_survives_a_sweep(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    record_touch(harness, Scope::User(fixture.anna.id), 9);
    record_touch(harness, Scope::User(fixture.ben.id), 9);
    let cursor = poll_feed(harness, None).next;
    assert_eq!(run_write(harness, |tx| tx.feed().sweep(after_start(10), 1000)), 2);
    record_touch(harness, Scope::Keys, 20);
    assert!(has_touch(&poll_feed(harness, Some(&cursor)), Scope::Keys));
}

/// A process that has read the feed after a change was committed is at the end that was returned
/// after that commit, or beyond; one that has not read it is before that end.
pub fn end_is_beyond_every_committed_change(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    let before = poll_feed(harness, None).next;
    record_touch(harness, Scope::User(fixture.anna.id), 9);
    let end = run_read(harness, |tx| tx.feed().find_end());
    assert!(before.applied_cursor() < end, "{before:?}, {end:?}");
    // on a busy server, an older transaction may still be open
    let reached = (0..1_000).any(|_| poll_feed(harness, Some(&before)).next.applied_cursor() >= end);
    assert!(reached, "{end:?}");
}
