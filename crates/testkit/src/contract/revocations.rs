//! Revocations and audit events: what ends, what becomes outdated, and what is published.

use tillgate_auth_core::{Session, SessionKind};
use tillgate_domain::{Change, DeviceId, EndReason, Epoch, Scope, StoreError, StoreExt, TenantId, UserId};

use crate::AuthStoreHarness;
use crate::contract_fixture::{
    ContractFixture, after_start, insert_sessions, load_session, new_event, run_read, run_write, session_id,
};
use crate::recording_observer::RecordingObserver;

fn poll_feed(harness: &AuthStoreHarness) -> Vec<Change> {
    run_read(harness, |tx| Ok(tx.feed().poll(None)?.entries)).into_iter().map(|found| found.change).collect()
}

/// The numbers of the sessions that have ended.
fn ended_numbers(harness: &AuthStoreHarness, numbers: &[u8]) -> Vec<u8> {
    numbers.iter().copied().filter(|number| load_session(harness, session_id(*number)).ended.is_some()).collect()
}

/// The end of a session is stored with its instant and reason, and published. Other sessions stay.
pub fn session_end_is_stored_and_published(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    insert_sessions(harness, &[fixture.new_session(1), fixture.new_session(2)]);
    let watcher = RecordingObserver::observe(harness);
    assert!(run_write(harness, |tx| tx.revocations().end_session(session_id(1), EndReason::Replay, after_start(9))));
    let expected = Session { ended: Some((after_start(9), EndReason::Replay)), ..fixture.new_session(1) };
    assert_eq!(load_session(harness, session_id(1)), expected);
    assert_eq!(load_session(harness, session_id(2)), fixture.new_session(2));
    assert_eq!(watcher.changes(), [Change::SessionEnded(session_id(1))]);
    assert!(poll_feed(harness).contains(&Change::SessionEnded(session_id(1))));
}

/// A session ends once. A second end returns false, keeps the first reason and publishes nothing,
/// and so does the end of an unknown session.
pub fn session_ends_once(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    insert_sessions(harness, &[fixture.new_session(1)]);
    run_write(harness, |tx| tx.revocations().end_session(session_id(1), EndReason::Logout, after_start(9)));
    let watcher = RecordingObserver::observe(harness);
    assert!(!run_write(harness, |tx| tx.revocations().end_session(session_id(1), EndReason::Admin, after_start(10))));
    assert!(!run_write(harness, |tx| tx.revocations().end_session(session_id(2), EndReason::Admin, after_start(10))));
    assert_eq!(load_session(harness, session_id(1)).ended, Some((after_start(9), EndReason::Logout)));
    assert_eq!(watcher.changes(), []);
}

/// When a session ends, all of its descendants end too, and each end is published.
pub fn child_sessions_end_with_their_parent(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    let on = |number: u8, parent: u8| Session { parent: Some(session_id(parent)), ..fixture.new_session(number) };
    insert_sessions(harness, &[fixture.new_session(1), on(2, 1), on(3, 2), on(4, 1), fixture.new_session(5), on(6, 5)]);
    let earlier =
        run_write(harness, |tx| tx.revocations().end_session(session_id(4), EndReason::Logout, after_start(7)));
    assert!(earlier);
    let watcher = RecordingObserver::observe(harness);
    run_write(harness, |tx| tx.revocations().end_session(session_id(1), EndReason::Admin, after_start(9)));
    assert_eq!(ended_numbers(harness, &[1, 2, 3, 4, 5, 6]), [1, 2, 3, 4]);
    assert_eq!(load_session(harness, session_id(3)).ended.map(|(when, _)| when), Some(after_start(9)));
    assert_eq!(
        load_session(harness, session_id(4)).ended,
        Some((after_start(7), EndReason::Logout)),
        "it had already ended"
    );
    let mut published = watcher.changes();
    published.sort_by_key(|change| format!("{change:?}"));
    let mut expected = [1, 2, 3].map(|number| Change::SessionEnded(session_id(number)));
    expected.sort_by_key(|change| format!("{change:?}"));
    assert_eq!(published, expected);
}

/// Sessions of every kind, of Anna and Ben, without a device, on the till and in the other tenant.
/// Number 8 has ended before.
fn insert_many_sessions(harness: &AuthStoreHarness) -> ContractFixture {
    let fixture = ContractFixture::insert_into(harness);
    let far = Session {
        tenant: fixture.other_tenant.id,
        user: Some(fixture.namesake.id),
        device: Some(fixture.foreign_device.id),
        ..fixture.new_session(7)
    };
    insert_sessions(
        harness,
        &[
            fixture.new_session(1),
            fixture.new_till_session(2),
            Session { kind: SessionKind::Permanent, ..fixture.new_till_session(3) },
            Session { user: Some(fixture.ben.id), ..fixture.new_till_session(4) },
            Session { kind: SessionKind::Device, user: None, ..fixture.new_till_session(5) },
            Session { device: Some(fixture.handheld.id), user: Some(fixture.ben.id), ..fixture.new_session(6) },
            far,
            fixture.new_till_session(8),
        ],
    );
    run_write(harness, |tx| tx.revocations().end_session(session_id(8), EndReason::Logout, after_start(9)));
    fixture
}

const ALL_SESSIONS: [u8; 7] = [1, 2, 3, 4, 5, 6, 7];

/// Raising an epoch ends every session of its scope except permanent ones, with the instant and the
/// reason, and no other session.
pub fn epoch_bump_ends_the_sessions_of_its_scope(harness: &AuthStoreHarness) {
    let fixture = insert_many_sessions(harness);
    run_write(harness, |tx| {
        tx.revocations().bump_epoch(Scope::User(fixture.anna.id), EndReason::Suspended, after_start(20))
    });
    assert_eq!(ended_numbers(harness, &ALL_SESSIONS), [1, 2], "Anna's");
    assert_eq!(load_session(harness, session_id(1)).ended, Some((after_start(20), EndReason::Suspended)));
    run_write(harness, |tx| {
        tx.revocations().bump_epoch(Scope::Device(fixture.till.id), EndReason::Locked, after_start(21))
    });
    assert_eq!(ended_numbers(harness, &ALL_SESSIONS), [1, 2, 4, 5], "and those on the till");
    assert_eq!(
        load_session(harness, session_id(2)).ended,
        Some((after_start(20), EndReason::Suspended)),
        "earlier events are unchanged"
    );
    run_write(harness, |tx| {
        tx.revocations().bump_epoch(Scope::Tenant(fixture.tenant.id), EndReason::Admin, after_start(22))
    });
    assert_eq!(ended_numbers(harness, &ALL_SESSIONS), [1, 2, 4, 5, 6], "and the tenant's other sessions");
    assert_eq!(load_session(harness, session_id(8)).ended, Some((after_start(9), EndReason::Logout)));
}

/// The descendants of the sessions that a raised epoch ends also end. Those to which the epoch does
/// not apply (a session of another user, a permanent one) are published one by one.
pub fn child_sessions_end_with_an_epoch_bump(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    let on = |number: u8, parent: u8, session: Session| Session {
        id: session_id(number),
        parent: Some(session_id(parent)),
        ..session
    };
    let bens = Session { user: Some(fixture.ben.id), ..fixture.new_till_session(1) };
    let permanent = Session { kind: SessionKind::Permanent, ..fixture.new_till_session(1) };
    insert_sessions(
        harness,
        &[
            fixture.new_till_session(1),
            on(2, 1, fixture.new_session(2)),
            on(3, 1, bens.clone()),
            on(4, 3, bens.clone()),
            on(5, 2, permanent),
            Session { id: session_id(6), ..bens },
        ],
    );
    let watcher = RecordingObserver::observe(harness);
    run_write(harness, |tx| {
        tx.revocations().bump_epoch(Scope::User(fixture.anna.id), EndReason::Suspended, after_start(9))
    });
    assert_eq!(ended_numbers(harness, &[1, 2, 3, 4, 5, 6]), [1, 2, 3, 4, 5]);
    assert_eq!(load_session(harness, session_id(4)).ended, Some((after_start(9), EndReason::Suspended)));
    let raised = Change::EpochBumped { scope: Scope::User(fixture.anna.id), epoch: Epoch(1) };
    let published = watcher.changes();
    let apart = [3, 4, 5].map(|number| Change::SessionEnded(session_id(number)));
    assert!(published.contains(&raised) && apart.iter().all(|change| published.contains(change)), "{published:?}");
    assert_eq!(published.len(), 4, "each once, and no other: {published:?}");
}

/// Ending the permanent sessions of a scope also ends their descendants, and publishes each end. No
/// epoch is raised, and no other session ends.
pub fn end_permanent_ends_permanent_sessions_and_publishes_them(harness: &AuthStoreHarness) {
    let fixture = insert_many_sessions(harness);
    let permanent =
        |number: u8, session: Session| Session { id: session_id(number), kind: SessionKind::Permanent, ..session };
    insert_sessions(
        harness,
        &[
            permanent(9, Session { user: Some(fixture.ben.id), ..fixture.new_till_session(9) }),
            Session { parent: Some(session_id(3)), user: Some(fixture.ben.id), ..fixture.new_session(10) },
            permanent(
                11,
                Session { user: Some(fixture.ben.id), device: Some(fixture.handheld.id), ..fixture.new_session(11) },
            ),
        ],
    );
    let numbers = [1, 2, 3, 4, 5, 6, 7, 9, 10, 11];
    let watcher = RecordingObserver::observe(harness);
    run_write(harness, |tx| {
        tx.revocations().end_permanent(Scope::User(fixture.anna.id), EndReason::Password, after_start(20))
    });
    assert_eq!(ended_numbers(harness, &numbers), [3, 10], "Anna's, and its descendant");
    assert_eq!(load_session(harness, session_id(3)).ended, Some((after_start(20), EndReason::Password)));
    let mut published = watcher.changes();
    published.sort_by_key(|change| format!("{change:?}"));
    assert_eq!(published, [3, 10].map(|number| Change::SessionEnded(session_id(number))));
    run_write(harness, |tx| {
        tx.revocations().end_permanent(Scope::Device(fixture.till.id), EndReason::Locked, after_start(21))
    });
    assert_eq!(ended_numbers(harness, &numbers), [3, 9, 10], "those on the till");
    run_write(harness, |tx| {
        tx.revocations().end_permanent(Scope::Tenant(fixture.other_tenant.id), EndReason::Admin, after_start(22))
    });
    assert_eq!(ended_numbers(harness, &numbers), [3, 9, 10], "another tenant's");
    run_write(harness, |tx| {
        tx.revocations().end_permanent(Scope::Tenant(fixture.tenant.id), EndReason::Admin, after_start(23))
    });
    assert_eq!(ended_numbers(harness, &numbers), [3, 9, 10, 11], "the tenant's");
    let epoch = run_read(harness, |tx| tx.users().find(fixture.anna.id)).map(|anna| anna.epoch);
    assert_eq!(epoch, Some(Epoch(0)));
}

/// Raising an epoch returns the new one, which is one more each time. No other epoch changes.
pub fn epoch_bump_returns_the_new_epoch(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    let scopes = [Scope::User(fixture.anna.id), Scope::Device(fixture.till.id), Scope::Tenant(fixture.tenant.id)];
    for (scope, times) in scopes.into_iter().zip([1, 2, 3]) {
        for time in 1..=times {
            let raised = run_write(harness, |tx| tx.revocations().bump_epoch(scope, EndReason::Admin, after_start(9)));
            assert_eq!(raised, Some(Epoch(time)), "{scope:?}");
        }
    }
    let epochs = run_read(harness, |tx| {
        Ok([
            tx.users().find(fixture.anna.id)?.map(|found| found.epoch),
            tx.users().find(fixture.ben.id)?.map(|found| found.epoch),
            tx.devices().find(fixture.till.id)?.map(|found| found.epoch),
            tx.devices().find(fixture.handheld.id)?.map(|found| found.epoch),
            tx.tenants().find(fixture.tenant.id)?.map(|found| found.epoch),
            tx.tenants().find(fixture.other_tenant.id)?.map(|found| found.epoch),
        ])
    });
    assert_eq!(epochs, [1, 0, 2, 0, 3, 0].map(|epoch| Some(Epoch(epoch))));
}

/// A raised epoch is published once, as the epoch below which sessions have ended.
pub fn epoch_bump_is_published_once(harness: &AuthStoreHarness) {
    let fixture = insert_many_sessions(harness);
    for scope in [Scope::User(fixture.anna.id), Scope::Device(fixture.till.id), Scope::Tenant(fixture.tenant.id)] {
        let watcher = RecordingObserver::observe(harness);
        run_write(harness, |tx| tx.revocations().bump_epoch(scope, EndReason::Admin, after_start(9)));
        let raised = Change::EpochBumped { scope, epoch: Epoch(1) };
        assert_eq!(watcher.changes(), [raised]);
        assert_eq!(poll_feed(harness).iter().filter(|change| **change == raised).count(), 1);
    }
}

/// Raising the epoch of an unknown principal, or of a scope without an epoch (keys, the clock),
/// returns `None` and publishes nothing.
pub fn epoch_bump_of_an_unknown_scope_is_none(harness: &AuthStoreHarness) {
    ContractFixture::insert_into(harness);
    let watcher = RecordingObserver::observe(harness);
    let nobody = uuid::Uuid::from_u128(77);
    for scope in [
        Scope::User(UserId(nobody)),
        Scope::Device(DeviceId(nobody)),
        Scope::Tenant(TenantId(nobody)),
        Scope::Keys,
        Scope::Clock,
    ] {
        assert_eq!(
            run_write(harness, |tx| tx.revocations().bump_epoch(scope, EndReason::Admin, after_start(9))),
            None,
            "{scope:?}"
        );
    }
    assert_eq!(watcher.changes(), []);
}

/// An invalidation is published, and ends nothing.
pub fn invalidation_is_published_and_ends_nothing(harness: &AuthStoreHarness) {
    let fixture = insert_many_sessions(harness);
    let scopes = [
        Scope::User(fixture.anna.id),
        Scope::Device(fixture.till.id),
        Scope::Tenant(fixture.tenant.id),
        Scope::Keys,
        Scope::Clock,
    ];
    let watcher = RecordingObserver::observe(harness);
    run_write(harness, |tx| scopes.iter().try_for_each(|scope| tx.revocations().invalidate(*scope, after_start(9))));
    let expected = scopes.map(Change::Invalidated);
    assert_eq!(watcher.changes(), expected);
    let feed = poll_feed(harness);
    assert!(expected.iter().all(|change| feed.contains(change)), "{feed:?}");
    assert_eq!(ended_numbers(harness, &ALL_SESSIONS), Vec::<u8>::new());
    let anna = run_read(harness, |tx| tx.users().find(fixture.anna.id));
    assert_eq!(anna.map(|anna| anna.epoch), Some(Epoch(0)));
}

/// An audit event is stored as it was recorded, after earlier ones.
pub fn audit_event_is_stored(harness: &AuthStoreHarness) {
    ContractFixture::insert_into(harness);
    let earlier = harness.read_events().map_or(0, |lines| lines.len());
    let bare = tillgate_domain::Event {
        tenant: None,
        actor: tillgate_domain::Actor::default(),
        subject: tillgate_domain::Subject::Server,
        outcome: tillgate_domain::EventOutcome::Refused,
        details: serde_json::Map::new(),
        approver: Some(crate::contract_fixture::user_id(2)),
        ..new_event(2, after_start(2_000_001))
    };
    run_write(harness, |tx| tx.audit().record(&new_event(1, after_start(2_000_000))));
    run_write(harness, |tx| tx.audit().record(&bare));
    assert_eq!(
        run_read(harness, |tx| tx.instances().newest_instant()),
        Some(after_start(2_000_001)),
        "the event is stored"
    );
    if let Some(lines) = harness.read_events() {
        assert_eq!(lines.get(earlier..), Some(&[new_event(1, after_start(2_000_000)), bare][..]));
    }
}

/// Audit events never change: a second event with the same id is rejected.
pub fn audit_event_is_never_changed(harness: &AuthStoreHarness) {
    ContractFixture::insert_into(harness);
    run_write(harness, |tx| tx.audit().record(&new_event(1, after_start(9))));
    let before = harness.read_events();
    let changed =
        tillgate_domain::Event { outcome: tillgate_domain::EventOutcome::Refused, ..new_event(1, after_start(9)) };
    let again = harness.store.write("test", |tx| tx.audit().record(&changed));
    assert!(matches!(again, Err(StoreError::Fault(_))), "{again:?}");
    assert_eq!(harness.read_events(), before);
}
