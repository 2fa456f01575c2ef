//! Endings and the audit: what is over, what is stale, what was told.

use tillgate_auth_core::{Session, SessionKind};
use tillgate_domain::{Change, DeviceId, EndReason, Epoch, Scope, StoreError, StoreExt, TenantId, UserId};

use crate::AuthStoreHarness;
use crate::contract_fixture::{
    ContractFixture, after_start, insert_sessions, load_session, new_event, run_read, run_write, session_id,
};
use crate::recording_observer::RecordingObserver;

fn poll_feed(bench: &AuthStoreHarness) -> Vec<Change> {
    run_read(bench, |tx| Ok(tx.feed().poll(None)?.entries)).into_iter().map(|found| found.change).collect()
}

/// The numbers of those among the sessions that have been ended.
fn ended_numbers(bench: &AuthStoreHarness, numbers: &[u8]) -> Vec<u8> {
    numbers.iter().copied().filter(|number| load_session(bench, session_id(*number)).ended.is_some()).collect()
}

/// The end of a session is kept with its instant and reason and told to everybody; other sessions go on.
pub fn session_end_is_stored_and_published(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    insert_sessions(bench, &[shop.new_session(1), shop.new_session(2)]);
    let watcher = RecordingObserver::observe(bench);
    assert!(run_write(bench, |tx| tx.revocations().end_session(session_id(1), EndReason::Replay, after_start(9))));
    let expected = Session { ended: Some((after_start(9), EndReason::Replay)), ..shop.new_session(1) };
    assert_eq!(load_session(bench, session_id(1)), expected);
    assert_eq!(load_session(bench, session_id(2)), shop.new_session(2));
    assert_eq!(watcher.changes(), [Change::SessionEnded(session_id(1))]);
    assert!(poll_feed(bench).contains(&Change::SessionEnded(session_id(1))));
}

/// A session ends once: a second end is false, keeps the first reason, and tells nobody. So is the end of one that never was.
pub fn session_ends_once(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    insert_sessions(bench, &[shop.new_session(1)]);
    run_write(bench, |tx| tx.revocations().end_session(session_id(1), EndReason::Logout, after_start(9)));
    let watcher = RecordingObserver::observe(bench);
    assert!(!run_write(bench, |tx| tx.revocations().end_session(session_id(1), EndReason::Admin, after_start(10))));
    assert!(!run_write(bench, |tx| tx.revocations().end_session(session_id(2), EndReason::Admin, after_start(10))));
    assert_eq!(load_session(bench, session_id(1)).ended, Some((after_start(9), EndReason::Logout)));
    assert_eq!(watcher.changes(), []);
}

/// With a session ends every session that stands on it, however far up, each told by itself.
pub fn child_sessions_end_with_their_parent(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    let on = |number: u8, parent: u8| Session { parent: Some(session_id(parent)), ..shop.new_session(number) };
    insert_sessions(bench, &[shop.new_session(1), on(2, 1), on(3, 2), on(4, 1), shop.new_session(5), on(6, 5)]);
    let earlier = run_write(bench, |tx| tx.revocations().end_session(session_id(4), EndReason::Logout, after_start(7)));
    assert!(earlier);
    let watcher = RecordingObserver::observe(bench);
    run_write(bench, |tx| tx.revocations().end_session(session_id(1), EndReason::Admin, after_start(9)));
    assert_eq!(ended_numbers(bench, &[1, 2, 3, 4, 5, 6]), [1, 2, 3, 4]);
    assert_eq!(load_session(bench, session_id(3)).ended.map(|(when, _)| when), Some(after_start(9)));
    assert_eq!(
        load_session(bench, session_id(4)).ended,
        Some((after_start(7), EndReason::Logout)),
        "it was over already"
    );
    let mut told = watcher.changes();
    told.sort_by_key(|change| format!("{change:?}"));
    let mut expected = [1, 2, 3].map(|number| Change::SessionEnded(session_id(number)));
    expected.sort_by_key(|change| format!("{change:?}"));
    assert_eq!(told, expected);
}

/// Sessions of every kind, of Anna and Ben, in the office, on the till and far away; number 8 has been ended before.
fn insert_many_sessions(bench: &AuthStoreHarness) -> ContractFixture {
    let shop = ContractFixture::insert_into(bench);
    let far = Session {
        tenant: shop.other_tenant.id,
        user: Some(shop.namesake.id),
        device: Some(shop.foreign_device.id),
        ..shop.new_session(7)
    };
    insert_sessions(
        bench,
        &[
            shop.new_session(1),
            shop.new_till_session(2),
            Session { kind: SessionKind::Permanent, ..shop.new_till_session(3) },
            Session { user: Some(shop.ben.id), ..shop.new_till_session(4) },
            Session { kind: SessionKind::Device, user: None, ..shop.new_till_session(5) },
            Session { device: Some(shop.handheld.id), user: Some(shop.ben.id), ..shop.new_session(6) },
            far,
            shop.new_till_session(8),
        ],
    );
    run_write(bench, |tx| tx.revocations().end_session(session_id(8), EndReason::Logout, after_start(9)));
    shop
}

const ALL_SESSIONS: [u8; 7] = [1, 2, 3, 4, 5, 6, 7];

/// A raise ends every session of its scope but the permanent ones, with its instant and reason, and no other session.
pub fn epoch_bump_ends_the_sessions_of_its_scope(bench: &AuthStoreHarness) {
    let shop = insert_many_sessions(bench);
    run_write(bench, |tx| {
        tx.revocations().bump_epoch(Scope::User(shop.anna.id), EndReason::Suspended, after_start(20))
    });
    assert_eq!(ended_numbers(bench, &ALL_SESSIONS), [1, 2], "Anna's");
    assert_eq!(load_session(bench, session_id(1)).ended, Some((after_start(20), EndReason::Suspended)));
    run_write(bench, |tx| tx.revocations().bump_epoch(Scope::Device(shop.till.id), EndReason::Locked, after_start(21)));
    assert_eq!(ended_numbers(bench, &ALL_SESSIONS), [1, 2, 4, 5], "and those on the till");
    assert_eq!(
        load_session(bench, session_id(2)).ended,
        Some((after_start(20), EndReason::Suspended)),
        "those before stay as they are"
    );
    run_write(bench, |tx| {
        tx.revocations().bump_epoch(Scope::Tenant(shop.tenant.id), EndReason::Admin, after_start(22))
    });
    assert_eq!(ended_numbers(bench, &ALL_SESSIONS), [1, 2, 4, 5, 6], "and the rest of the vendor's");
    assert_eq!(load_session(bench, session_id(8)).ended, Some((after_start(9), EndReason::Logout)));
}

/// With the sessions that a raise ends ends what stands on them. What the epoch does not tell of is told by itself: a session of
/// somebody else, a permanent one.
pub fn child_sessions_end_with_an_epoch_bump(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    let on = |number: u8, parent: u8, session: Session| Session {
        id: session_id(number),
        parent: Some(session_id(parent)),
        ..session
    };
    let bens = Session { user: Some(shop.ben.id), ..shop.new_till_session(1) };
    let permanent = Session { kind: SessionKind::Permanent, ..shop.new_till_session(1) };
    insert_sessions(
        bench,
        &[
            shop.new_till_session(1),
            on(2, 1, shop.new_session(2)),
            on(3, 1, bens.clone()),
            on(4, 3, bens.clone()),
            on(5, 2, permanent),
            Session { id: session_id(6), ..bens },
        ],
    );
    let watcher = RecordingObserver::observe(bench);
    run_write(bench, |tx| tx.revocations().bump_epoch(Scope::User(shop.anna.id), EndReason::Suspended, after_start(9)));
    assert_eq!(ended_numbers(bench, &[1, 2, 3, 4, 5, 6]), [1, 2, 3, 4, 5]);
    assert_eq!(load_session(bench, session_id(4)).ended, Some((after_start(9), EndReason::Suspended)));
    let raised = Change::EpochBumped { scope: Scope::User(shop.anna.id), epoch: Epoch(1) };
    let told = watcher.changes();
    let apart = [3, 4, 5].map(|number| Change::SessionEnded(session_id(number)));
    assert!(told.contains(&raised) && apart.iter().all(|change| told.contains(change)), "{told:?}");
    assert_eq!(told.len(), 4, "each once, and no other: {told:?}");
}

/// What is severed of a scope are its permanent sessions and what stands on them, each told by itself; no epoch is raised and no
/// other session ends.
pub fn end_permanent_ends_permanent_sessions_and_publishes_them(bench: &AuthStoreHarness) {
    let shop = insert_many_sessions(bench);
    let permanent =
        |number: u8, session: Session| Session { id: session_id(number), kind: SessionKind::Permanent, ..session };
    insert_sessions(
        bench,
        &[
            permanent(9, Session { user: Some(shop.ben.id), ..shop.new_till_session(9) }),
            Session { parent: Some(session_id(3)), user: Some(shop.ben.id), ..shop.new_session(10) },
            permanent(11, Session { user: Some(shop.ben.id), device: Some(shop.handheld.id), ..shop.new_session(11) }),
        ],
    );
    let numbers = [1, 2, 3, 4, 5, 6, 7, 9, 10, 11];
    let watcher = RecordingObserver::observe(bench);
    run_write(bench, |tx| {
        tx.revocations().end_permanent(Scope::User(shop.anna.id), EndReason::Password, after_start(20))
    });
    assert_eq!(ended_numbers(bench, &numbers), [3, 10], "Anna's, and what stands on it");
    assert_eq!(load_session(bench, session_id(3)).ended, Some((after_start(20), EndReason::Password)));
    let mut told = watcher.changes();
    told.sort_by_key(|change| format!("{change:?}"));
    assert_eq!(told, [3, 10].map(|number| Change::SessionEnded(session_id(number))));
    run_write(bench, |tx| {
        tx.revocations().end_permanent(Scope::Device(shop.till.id), EndReason::Locked, after_start(21))
    });
    assert_eq!(ended_numbers(bench, &numbers), [3, 9, 10], "those on the till");
    run_write(bench, |tx| {
        tx.revocations().end_permanent(Scope::Tenant(shop.other_tenant.id), EndReason::Admin, after_start(22))
    });
    assert_eq!(ended_numbers(bench, &numbers), [3, 9, 10], "another vendor's");
    run_write(bench, |tx| {
        tx.revocations().end_permanent(Scope::Tenant(shop.tenant.id), EndReason::Admin, after_start(23))
    });
    assert_eq!(ended_numbers(bench, &numbers), [3, 9, 10, 11], "the vendor's");
    let epoch = run_read(bench, |tx| tx.users().find(shop.anna.id)).map(|anna| anna.epoch);
    assert_eq!(epoch, Some(Epoch(0)));
}

/// A raise returns the new epoch, one more each time, and raises no other's.
pub fn epoch_bump_returns_the_new_epoch(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    let scopes = [Scope::User(shop.anna.id), Scope::Device(shop.till.id), Scope::Tenant(shop.tenant.id)];
    for (scope, times) in scopes.into_iter().zip([1, 2, 3]) {
        for time in 1..=times {
            let raised = run_write(bench, |tx| tx.revocations().bump_epoch(scope, EndReason::Admin, after_start(9)));
            assert_eq!(raised, Some(Epoch(time)), "{scope:?}");
        }
    }
    let epochs = run_read(bench, |tx| {
        Ok([
            tx.users().find(shop.anna.id)?.map(|found| found.epoch),
            tx.users().find(shop.ben.id)?.map(|found| found.epoch),
            tx.devices().find(shop.till.id)?.map(|found| found.epoch),
            tx.devices().find(shop.handheld.id)?.map(|found| found.epoch),
            tx.tenants().find(shop.tenant.id)?.map(|found| found.epoch),
            tx.tenants().find(shop.other_tenant.id)?.map(|found| found.epoch),
        ])
    });
    assert_eq!(epochs, [1, 0, 2, 0, 3, 0].map(|epoch| Some(Epoch(epoch))));
}

/// A raise is told once, as the epoch below which all is over.
pub fn epoch_bump_is_published_once(bench: &AuthStoreHarness) {
    let shop = insert_many_sessions(bench);
    for scope in [Scope::User(shop.anna.id), Scope::Device(shop.till.id), Scope::Tenant(shop.tenant.id)] {
        let watcher = RecordingObserver::observe(bench);
        run_write(bench, |tx| tx.revocations().bump_epoch(scope, EndReason::Admin, after_start(9)));
        let raised = Change::EpochBumped { scope, epoch: Epoch(1) };
        assert_eq!(watcher.changes(), [raised]);
        assert_eq!(poll_feed(bench).iter().filter(|change| **change == raised).count(), 1);
    }
}

/// Where there is nobody to raise, and of keys and the clock, which have no epoch, a raise is `None` and tells nobody.
pub fn epoch_bump_of_an_unknown_scope_is_none(bench: &AuthStoreHarness) {
    ContractFixture::insert_into(bench);
    let watcher = RecordingObserver::observe(bench);
    let nobody = uuid::Uuid::from_u128(77);
    for scope in [
        Scope::User(UserId(nobody)),
        Scope::Device(DeviceId(nobody)),
        Scope::Tenant(TenantId(nobody)),
        Scope::Keys,
        Scope::Clock,
    ] {
        assert_eq!(
            run_write(bench, |tx| tx.revocations().bump_epoch(scope, EndReason::Admin, after_start(9))),
            None,
            "{scope:?}"
        );
    }
    assert_eq!(watcher.changes(), []);
}

/// A touch is told, and ends nothing.
pub fn invalidation_is_published_and_ends_nothing(bench: &AuthStoreHarness) {
    let shop = insert_many_sessions(bench);
    let scopes = [
        Scope::User(shop.anna.id),
        Scope::Device(shop.till.id),
        Scope::Tenant(shop.tenant.id),
        Scope::Keys,
        Scope::Clock,
    ];
    let watcher = RecordingObserver::observe(bench);
    run_write(bench, |tx| scopes.iter().try_for_each(|scope| tx.revocations().invalidate(*scope, after_start(9))));
    let expected = scopes.map(Change::Invalidated);
    assert_eq!(watcher.changes(), expected);
    let feed = poll_feed(bench);
    assert!(expected.iter().all(|change| feed.contains(change)), "{feed:?}");
    assert_eq!(ended_numbers(bench, &ALL_SESSIONS), Vec::<u8>::new());
    let anna = run_read(bench, |tx| tx.users().find(shop.anna.id));
    assert_eq!(anna.map(|anna| anna.epoch), Some(Epoch(0)));
}

/// A line of the audit is kept as it was told, after those before it.
pub fn audit_event_is_stored(bench: &AuthStoreHarness) {
    ContractFixture::insert_into(bench);
    let earlier = bench.read_events().map_or(0, |lines| lines.len());
    let bare = tillgate_domain::Event {
        tenant: None,
        actor: tillgate_domain::Actor::default(),
        subject: tillgate_domain::Subject::Server,
        outcome: tillgate_domain::EventOutcome::Refused,
        details: serde_json::Map::new(),
        approver: Some(crate::contract_fixture::user_id(2)),
        ..new_event(2, after_start(2_000_001))
    };
    run_write(bench, |tx| tx.audit().record(&new_event(1, after_start(2_000_000))));
    run_write(bench, |tx| tx.audit().record(&bare));
    assert_eq!(
        run_read(bench, |tx| tx.instances().newest_instant()),
        Some(after_start(2_000_001)),
        "the store bears the line"
    );
    if let Some(lines) = bench.read_events() {
        assert_eq!(lines.get(earlier..), Some(&[new_event(1, after_start(2_000_000)), bare][..]));
    }
}

/// Lines are never changed: a second line of one id is refused.
pub fn audit_event_is_never_changed(bench: &AuthStoreHarness) {
    ContractFixture::insert_into(bench);
    run_write(bench, |tx| tx.audit().record(&new_event(1, after_start(9))));
    let before = bench.read_events();
    let changed =
        tillgate_domain::Event { outcome: tillgate_domain::EventOutcome::Refused, ..new_event(1, after_start(9)) };
    let again = bench.store.write(|tx| tx.audit().record(&changed));
    assert!(matches!(again, Err(StoreError::Fault(_))), "{again:?}");
    assert_eq!(bench.read_events(), before);
}
