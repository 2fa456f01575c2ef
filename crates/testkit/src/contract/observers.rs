//! Observers of a store: notified of every committed change, before `run` returns.

use tillgate_domain::{Change, EndReason, Scope, StoreError, StoreExt};

use super::work::{insert_fixture, write_everywhere};
use crate::AuthStoreHarness;
use crate::contract_fixture::{after_start, run_write, session_id};
use crate::recording_observer::RecordingObserver;

/// When `run` returns, the observer has been notified, in the order of the writes, on the thread
/// that called `run`.
pub fn observer_is_notified_before_run_returns(harness: &AuthStoreHarness) {
    let fixture = insert_fixture(harness);
    let watcher = RecordingObserver::observe(harness);
    run_write(harness, |tx| {
        tx.revocations().end_session(session_id(2), EndReason::Admin, after_start(9))?;
        tx.revocations().invalidate(Scope::Device(fixture.till.id), after_start(9))?;
        tx.revocations().end_session(session_id(1), EndReason::Admin, after_start(9)).map(drop)
    });
    let expected = [
        Change::SessionEnded(session_id(2)),
        Change::Invalidated(Scope::Device(fixture.till.id)),
        Change::SessionEnded(session_id(1)),
    ];
    assert_eq!(watcher.changes(), expected);
    assert_eq!(watcher.threads(), [std::thread::current().id()]);
}

/// The observer is notified after the commit: a read at that moment finds the change.
pub fn observer_is_notified_after_the_commit(harness: &AuthStoreHarness) {
    insert_fixture(harness);
    let store = harness.store.clone();
    let watcher = RecordingObserver::observe_with_probe(harness, move || {
        let store = store.clone();
        let (tell, reported) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let found = store.read("test", |tx| tx.sessions().find(session_id(1)));
            let _ = tell.send(found.is_ok_and(|found| found.is_some_and(|found| found.session.ended.is_some())));
        });
        reported.recv_timeout(std::time::Duration::from_secs(5)).unwrap_or(false)
    });
    run_write(harness, |tx| tx.revocations().end_session(session_id(1), EndReason::Admin, after_start(9)));
    assert_eq!(watcher.probes(), [true]);
}

/// The observer is not notified of changes that were rolled back.
pub fn observer_is_not_notified_of_rolled_back_changes(harness: &AuthStoreHarness) {
    let fixture = insert_fixture(harness);
    let watcher = RecordingObserver::observe(harness);
    let failed = harness.store.write("test", |tx| {
        write_everywhere(tx, &fixture)?;
        Err::<(), _>(StoreError::Fault("on purpose".into()))
    });
    assert!(failed.is_err());
    assert_eq!(watcher.changes(), []);
    run_write(harness, |tx| tx.revocations().invalidate(Scope::Clock, after_start(9)));
    assert_eq!(watcher.changes(), [Change::Invalidated(Scope::Clock)], "nor later, with the next");
}
