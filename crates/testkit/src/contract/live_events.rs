//! The live events, which clients follow.

use tillgate_auth_core::ports::{Bookmark, FeedCursor, LiveEventBatch, LiveEventView};
use tillgate_domain::{
    Action, Actor, Event, EventOutcome, LiveEvent, LiveEventKind, PrincipalId, StoreError, StoreExt, Subject,
};

use crate::AuthStoreHarness;
use crate::contract_fixture::{
    ContractFixture, after_start, insert_sessions, new_event, run_read, run_write, session_id,
};
use crate::rendezvous::{ThreadSignal, run_both};

fn poll(harness: &AuthStoreHarness, from: Option<&Bookmark>) -> LiveEventBatch {
    run_read(harness, |tx| tx.live_events().poll(from, None, 100))
}

/// The bookmark of the end.
fn find_end(harness: &AuthStoreHarness) -> Bookmark {
    poll(harness, None).next
}

/// An event whose number is also its second: a change of Anna.
fn user_change(fixture: &ContractFixture, number: u8) -> Event {
    Event {
        action: Action::UserUpdate,
        subject: Subject::User(fixture.anna.id),
        ..new_event(number, after_start(u64::from(number)))
    }
}

fn record(harness: &AuthStoreHarness, event: &Event) {
    run_write(harness, |tx| tx.audit().record(event));
}

/// The ids of the audit events that the batch reports.
fn audit_ids(batch: &LiveEventBatch) -> Vec<uuid::Uuid> {
    let reported = batch.events.iter().map(|view| view.event);
    reported.filter(|event| event.kind == LiveEventKind::AuditEvent).filter_map(|event| event.subject).collect()
}

/// A recorded audit event has the live events that `LiveEvent::list_for` returns, in the order of
/// writing.
pub fn recorded_event_has_its_live_events(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    let from = find_end(harness);
    let foreign = Event { tenant: Some(fixture.other_tenant.id), ..user_change(&fixture, 2) };
    let server =
        Event { tenant: None, subject: Subject::Server, action: Action::ClockAccept, ..user_change(&fixture, 3) };
    let refused = Event { outcome: EventOutcome::Refused, ..user_change(&fixture, 4) };
    let ended = Event { action: Action::SessionEnd, ..user_change(&fixture, 5) };
    let events = [user_change(&fixture, 1), foreign, server, refused, ended];
    for event in &events {
        record(harness, event);
    }
    let expected: Vec<LiveEvent> = events.iter().flat_map(LiveEvent::list_for).collect();
    let found = poll(harness, Some(&from));
    assert_eq!(found.events.iter().map(|view| view.event).collect::<Vec<_>>(), expected);
    assert!(!found.has_gap);
    assert_eq!(poll(harness, Some(&found.next)).events, [], "each is found once");
}

/// An event comes with the current version of its resource, and that of a session with the
/// session's principal.
pub fn event_has_the_version_or_the_principal_of_its_resource(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    insert_sessions(harness, &[fixture.new_session(1)]);
    let from = find_end(harness);
    record(harness, &user_change(&fixture, 1));
    let actor = Actor { session: Some(session_id(1)), ..Actor::default() };
    record(harness, &Event { actor, ..new_event(2, after_start(2)) });
    let unknown = Subject::Session(session_id(99));
    record(harness, &Event { action: Action::Logout, subject: unknown, ..new_event(3, after_start(3)) });
    let version = run_read(harness, |tx| tx.users().find(fixture.anna.id)).unwrap().version;
    let found = poll(harness, Some(&from));
    let shown = |view: &LiveEventView| (view.event.kind, view.version, view.principal);
    assert_eq!(
        found.events.iter().map(shown).collect::<Vec<_>>(),
        [
            (LiveEventKind::AuditEvent, None, None),
            (LiveEventKind::User, Some(version), None),
            (LiveEventKind::AuditEvent, None, None),
            (LiveEventKind::Session, None, Some(PrincipalId::User(fixture.anna.id))),
            (LiveEventKind::AuditEvent, None, None),
            (LiveEventKind::Session, None, None),
        ]
    );
}

/// Without a bookmark, and with one beyond the end, a poll returns no events, a gap, and the end.
pub fn unknown_bookmark_has_a_gap(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    record(harness, &user_change(&fixture, 1));
    let beyond = Bookmark::from_cursor(FeedCursor(find_end(harness).cursor.0 + 1_000_000_000));
    for (from, number) in [(None, 2), (Some(&beyond), 3)] {
        let found = poll(harness, from);
        assert!(found.has_gap && found.events.is_empty(), "{found:?}");
        let event = user_change(&fixture, number);
        record(harness, &event);
        let after = poll(harness, Some(&found.next));
        assert_eq!((audit_ids(&after), after.has_gap), (vec![event.id.0], false));
    }
}

/// More events than the limit are a gap, after which the next poll continues.
pub fn more_events_than_the_limit_are_a_gap(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    let from = find_end(harness);
    for number in 1..=3 {
        record(harness, &user_change(&fixture, number));
    }
    let with_limit = |limit| run_read(harness, |tx| tx.live_events().poll(Some(&from), None, limit));
    let exact = with_limit(6);
    assert_eq!((exact.events.len(), exact.has_gap), (6, false));
    let beyond = with_limit(5);
    assert_eq!((beyond.events.len(), beyond.has_gap), (0, true));
    record(harness, &user_change(&fixture, 4));
    assert_eq!(poll(harness, Some(&beyond.next)).events.len(), 2);
}

/// The events of other tenants are not found by a poll of one tenant, and do not count.
pub fn poll_of_a_tenant_finds_only_its_events(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    let from = find_end(harness);
    for number in 1..=3 {
        record(harness, &Event { tenant: Some(fixture.other_tenant.id), ..user_change(&fixture, number) });
    }
    let own = user_change(&fixture, 4);
    record(harness, &own);
    let poll_tenant = |tenant, limit| run_read(harness, |tx| tx.live_events().poll(Some(&from), Some(tenant), limit));
    let found = poll_tenant(fixture.tenant.id, 2);
    assert_eq!((audit_ids(&found), found.events.len(), found.has_gap), (vec![own.id.0], 2, false));
    assert!(poll_tenant(fixture.other_tenant.id, 5).has_gap);
    assert_eq!(poll(harness, Some(&found.next)).events, [], "the position is that of all");
}

/// An event that was rolled back is not found.
pub fn rolled_back_event_is_not_found(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    let from = find_end(harness);
    let failed = harness.store.write("test", |tx| {
        tx.audit().record(&user_change(&fixture, 1))?;
        Err::<(), _>(StoreError::Fault("on purpose".into()))
    });
    assert!(failed.is_err());
    assert_eq!(poll(harness, Some(&from)).events, []);
}

/// An event of a unit of work that stays open is found after its commit, once, and hides no other.
pub fn late_event_is_found_once(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    let (written, polled) = (ThreadSignal::default(), ThreadSignal::default());
    let from = find_end(harness);
    let late = user_change(&fixture, 1);
    let ((), (mut seen, next)) = run_both(
        || {
            run_write(harness, |tx| {
                tx.audit().record(&late)?;
                written.set();
                polled.wait_briefly();
                Ok(())
            });
        },
        || {
            written.wait();
            let (mut seen, mut next) = (Vec::new(), from.clone());
            for number in 2..6 {
                record(harness, &user_change(&fixture, number));
                let found = poll(harness, Some(&next));
                assert!(!found.has_gap);
                seen.extend(audit_ids(&found));
                next = found.next;
            }
            polled.set();
            (seen, next)
        },
    );
    let last = poll(harness, Some(&next));
    seen.extend(audit_ids(&last));
    seen.sort_unstable();
    let mut expected: Vec<_> = (1..6).map(|number| user_change(&fixture, number).id.0).collect();
    expected.sort_unstable();
    assert_eq!(seen, expected);
    // a client that continues from the position of a poll misses nothing either
    let resumed = poll(harness, Some(&Bookmark::from_cursor(from.applied_cursor())));
    assert!(expected.iter().all(|id| audit_ids(&resumed).contains(id)), "{resumed:?}");
}

/// A sweep removes at most `limit` events written before the instant, and returns how many. A
/// bookmark before one of them has a gap afterwards, and a later one has none.
pub fn swept_events_are_a_gap(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    run_write(harness, |tx| tx.live_events().sweep(after_start(10_000_000), 1000));
    let before = find_end(harness);
    record(harness, &user_change(&fixture, 10));
    let between = find_end(harness);
    record(harness, &user_change(&fixture, 20));
    let after = find_end(harness);
    record(harness, &user_change(&fixture, 30));
    let sweep = |limit| run_write(harness, |tx| tx.live_events().sweep(after_start(20), limit));
    assert_eq!([sweep(1), sweep(10), sweep(10)], [1, 1, 0]);
    let seen = |from| {
        let found = poll(harness, Some(from));
        (found.events.len(), found.has_gap)
    };
    assert_eq!([seen(&before), seen(&between), seen(&after)], [(0, true), (4, false), (2, false)]);
    assert_eq!(run_write(harness, |tx| tx.live_events().sweep(after_start(100), 10)), 4);
    let end = find_end(harness);
    assert_eq!([seen(&after), seen(&end)], [(0, true), (0, false)], "an empty table is not a gap by itself");
}
