//! Sessions on a database.

use tillgate_auth_core::ports::{Rotation, SessionCursor, SessionFilter, SessionOrder, SessionUse};
use tillgate_auth_core::{Session, SessionKind};
use tillgate_domain::{EndReason, Epoch, KeyId, Scope, SessionId};
use tillgate_testkit::DatabaseEngine;

use crate::test_database::{StoreFixture, TestDatabase, at, uuid};

tillgate_testkit::on_both_databases!(
    session_is_read_back_with_epochs_and_statuses,
    rotation_succeeds_once_and_never_after_an_end,
    recorded_uses_never_decrease_in_a_large_batch,
    list_pages_from_the_newest_with_names,
    sweep_removes_ended_sessions_up_to_its_limit,
    key_is_in_use_only_by_live_sessions,
    end_reaches_child_sessions_and_epoch_bump_reaches_the_rest
);

fn session_is_read_back_with_epochs_and_statuses(engine: DatabaseEngine) {
    let fresh = &TestDatabase::on(engine).with_fixture();
    let fixture = StoreFixture::default();
    let full = Session {
        parent: Some(fixture.new_session(1).id),
        thumbprint: Some(vec![0, 255, 3]),
        rotated_at: Some(at(1)),
        last_used_at: Some(at(2)),
        ended: Some((at(3), EndReason::Replay)),
        ..fixture.new_session(2)
    };
    let bare = Session {
        kind: SessionKind::Permanent,
        user: None,
        device: None,
        address: None,
        rotated_from: None,
        expires_at: None,
        ..fixture.new_session(3)
    };
    for session in [&fixture.new_session(1), &full, &bare] {
        fresh.write(|tx| tx.sessions().insert(session));
        let standing = fresh.read(|tx| tx.sessions().find(session.id)).unwrap();
        assert_eq!(standing.session, *session);
        assert_eq!(standing.user, session.user.map(|_| fixture.anna.status));
        assert_eq!(standing.device, session.device.map(|_| fixture.till.status));
        assert_eq!(standing.zone, fixture.tenant.zone);
    }
    fresh.write(|tx| {
        tx.revocations().bump_epoch(Scope::User(fixture.anna.id), EndReason::Admin, at(4))?;
        tx.revocations().bump_epoch(Scope::Tenant(fixture.tenant.id), EndReason::Admin, at(4))?;
        tx.revocations().bump_epoch(Scope::Tenant(fixture.tenant.id), EndReason::Admin, at(4))
    });
    let now = fresh.read(|tx| tx.sessions().find(full.id)).unwrap().epochs;
    assert_eq!((now.user, now.device, now.tenant), (Epoch(1), Epoch(0), Epoch(2)));
    assert_eq!(fresh.read(|tx| tx.sessions().find(SessionId(uuid(999)))), None);
}

fn rotation_succeeds_once_and_never_after_an_end(engine: DatabaseEngine) {
    let fresh = &TestDatabase::on(engine).with_fixture();
    let session = StoreFixture::default().new_session(1);
    fresh.write(|tx| tx.sessions().insert(&session));
    let to = |generation| Rotation {
        generation,
        key: KeyId(uuid(51)),
        previous_key: session.key,
        at: at(60),
        expires_at: Some(at(9000)),
        from: None,
        proved_at: None,
    };
    assert!(fresh.write(|tx| tx.sessions().rotate(session.id, 1, &to(2))));
    assert!(!fresh.write(|tx| tx.sessions().rotate(session.id, 1, &to(2))));
    let stored = fresh.read(|tx| tx.sessions().find(session.id)).unwrap().session;
    let rotated = Session {
        generation: 2,
        key: KeyId(uuid(51)),
        rotated_at: Some(at(60)),
        rotated_from: None,
        expires_at: Some(at(9000)),
        ..session.clone()
    };
    assert_eq!(stored, rotated);
    assert!(fresh.write(|tx| tx.revocations().end_session(session.id, EndReason::Logout, at(61))));
    assert!(!fresh.write(|tx| tx.sessions().rotate(session.id, 2, &to(3))));
}

fn recorded_uses_never_decrease_in_a_large_batch(engine: DatabaseEngine) {
    let fresh = &TestDatabase::on(engine).with_fixture();
    let fixture = StoreFixture::default();
    let many = 1203;
    fresh.write(|tx| (0..many).try_for_each(|number| tx.sessions().insert(&fixture.new_session(number))));
    let uses: Vec<SessionUse> = (0..many)
        .flat_map(|number| [(number, 3, 50), (number, 2, 70)])
        .map(|(number, generation, seconds)| SessionUse {
            session: fixture.new_session(number).id,
            generation,
            at: at(seconds),
        })
        .chain([SessionUse { session: SessionId(uuid(5)), generation: 9, at: at(99) }])
        .collect();
    fresh.write(|tx| tx.sessions().record_uses(&uses));
    fresh.write(|tx| {
        tx.sessions().record_uses(&[SessionUse { session: fixture.new_session(7).id, generation: 1, at: at(1) }])
    });
    for number in [0, 7, many - 1] {
        let stored = fresh.read(|tx| tx.sessions().find(fixture.new_session(number).id)).unwrap().session;
        assert_eq!((stored.used_generation, stored.last_used_at), (3, Some(at(70))));
    }
    assert_eq!(fresh.read(|tx| tx.devices().find(fixture.till.id)).unwrap().last_seen_at, Some(at(70)));
    fresh.write(|tx| tx.sessions().record_uses(&[]));
}

fn list_pages_from_the_newest_with_names(engine: DatabaseEngine) {
    let fresh = &TestDatabase::on(engine).with_fixture();
    let fixture = StoreFixture::default();
    let mut sessions: Vec<Session> = (1..=5).map(|number| fixture.new_session(number)).collect();
    sessions[1].expires_at = Some(at(10));
    sessions[2].ended = Some((at(5), EndReason::Logout));
    sessions[3].device = None;
    fresh.write(|tx| sessions.iter().try_for_each(|session| tx.sessions().insert(session)));
    let list = |filter: SessionFilter, after: Option<SessionId>, limit| {
        let after = after.map(SessionCursor::from_id);
        let listed = fresh.read(|tx| tx.sessions().list(&filter, SessionOrder::Newest, after, limit));
        listed.into_iter().map(|each| each.session.id.0).collect::<Vec<_>>()
    };
    let ids = |numbers: &[usize]| numbers.iter().map(|number| sessions[number - 1].id.0).collect::<Vec<_>>();
    let all = SessionFilter::default();
    assert_eq!(list(all.clone(), None, 3), ids(&[5, 4, 3]));
    assert_eq!(list(all.clone(), Some(sessions[2].id), 3), ids(&[2, 1]));
    assert_eq!(list(SessionFilter { device: Some(fixture.till.id), ..all.clone() }, None, 9), ids(&[5, 3, 2, 1]));
    assert_eq!(list(SessionFilter { live: Some((true, at(10))), ..all.clone() }, None, 9), ids(&[5, 4, 1]));
    assert_eq!(list(SessionFilter { live: Some((false, at(10))), ..all.clone() }, None, 9), ids(&[3, 2]));
    let one =
        SessionFilter { tenant: Some(fixture.tenant.id), user: Some(fixture.anna.id), id: Some(sessions[3].id), ..all };
    let listed = fresh.read(|tx| tx.sessions().list(&one, SessionOrder::Newest, None, 9)).pop().unwrap();
    assert_eq!((listed.user_name, listed.device_name), (Some(fixture.anna.name.clone()), None));
    assert_eq!(listed.display_name, Some(fixture.anna.display_name.clone()));
}

fn sweep_removes_ended_sessions_up_to_its_limit(engine: DatabaseEngine) {
    let fresh = &TestDatabase::on(engine).with_fixture();
    let fixture = StoreFixture::default();
    let sessions = [
        Session { ended: Some((at(5), EndReason::Logout)), ..fixture.new_session(1) },
        Session { expires_at: Some(at(9)), ..fixture.new_session(2) },
        Session { expires_at: Some(at(10)), ..fixture.new_session(3) },
        Session { expires_at: None, ..fixture.new_session(4) },
        Session { expires_at: Some(at(8)), ended: Some((at(20), EndReason::Admin)), ..fixture.new_session(5) },
    ];
    fresh.write(|tx| sessions.iter().try_for_each(|session| tx.sessions().insert(session)));
    assert_eq!(fresh.write(|tx| tx.sessions().sweep(at(10), 2)), 2);
    assert_eq!(fresh.write(|tx| tx.sessions().sweep(at(10), 2)), 1);
    assert_eq!(fresh.write(|tx| tx.sessions().sweep(at(10), 2)), 0);
    let left = fresh.read(|tx| tx.sessions().list(&SessionFilter::default(), SessionOrder::Newest, None, 9));
    assert_eq!(left.iter().map(|each| each.session.id).collect::<Vec<_>>(), [sessions[3].id, sessions[2].id]);
}

fn key_is_in_use_only_by_live_sessions(engine: DatabaseEngine) {
    let fresh = &TestDatabase::on(engine).with_fixture();
    let fixture = StoreFixture::default();
    let (old, new) = (KeyId(uuid(51)), KeyId(uuid(52)));
    let sessions = [
        Session { key: new, previous_key: old, ..fixture.new_session(1) },
        Session { key: old, previous_key: old, expires_at: Some(at(10)), ..fixture.new_session(2) },
        Session { key: old, ended: Some((at(1), EndReason::Logout)), ..fixture.new_session(3) },
    ];
    fresh.write(|tx| sessions.iter().try_for_each(|session| tx.sessions().insert(session)));
    let under = |key, seconds| fresh.read(|tx| tx.sessions().ids_by_key(key, at(seconds), 9));
    let mut both = under(old, 9);
    both.sort();
    assert_eq!(both, [sessions[0].id, sessions[1].id]);
    assert_eq!(under(old, 10), [sessions[0].id]);
    assert_eq!(under(new, 10), [sessions[0].id]);
    assert!(fresh.read(|tx| tx.sessions().uses_key(old, at(10))));
    assert!(!fresh.read(|tx| tx.sessions().uses_key(old, at(3600))));
}

fn end_reaches_child_sessions_and_epoch_bump_reaches_the_rest(engine: DatabaseEngine) {
    let fresh = &TestDatabase::on(engine).with_fixture();
    let fixture = StoreFixture::default();
    let parent = fixture.new_session(1);
    let child = Session { parent: Some(parent.id), ..fixture.new_session(2) };
    let grandchild = Session { parent: Some(child.id), ..fixture.new_session(3) };
    let lone = Session { kind: SessionKind::Permanent, ..fixture.new_session(4) };
    let kept =
        Session { kind: SessionKind::Permanent, parent: Some(fixture.new_session(6).id), ..fixture.new_session(7) };
    let sessions =
        [parent.clone(), child.clone(), grandchild.clone(), lone.clone(), fixture.new_session(6), kept.clone()];
    fresh.write(|tx| sessions.iter().try_for_each(|session| tx.sessions().insert(session)));
    assert!(fresh.write(|tx| tx.revocations().end_session(parent.id, EndReason::Logout, at(9))));
    assert!(!fresh.write(|tx| tx.revocations().end_session(parent.id, EndReason::Admin, at(10))));
    let ended = |id| fresh.read(|tx| tx.sessions().find(id)).unwrap().session.ended;
    for id in [parent.id, child.id, grandchild.id] {
        assert_eq!(ended(id), Some((at(9), EndReason::Logout)));
    }
    let change_count = fresh.read(|tx| tx.feed().poll(None)).entries.len();
    assert_eq!(change_count, 3);
    assert_eq!(
        fresh.write(|tx| tx.revocations().bump_epoch(Scope::Device(fixture.till.id), EndReason::Locked, at(11))),
        Some(Epoch(1))
    );
    assert_eq!(ended(lone.id), None);
    assert_eq!(ended(fixture.new_session(6).id), Some((at(11), EndReason::Locked)));
    assert_eq!(ended(kept.id), Some((at(11), EndReason::Locked)));
    let changes = fresh.read(|tx| tx.feed().poll(None)).entries;
    let new: Vec<_> = changes[change_count..].iter().map(|found| found.change).collect();
    let raised = tillgate_domain::Change::EpochBumped { scope: Scope::Device(fixture.till.id), epoch: Epoch(1) };
    assert_eq!(new, [raised, tillgate_domain::Change::SessionEnded(kept.id)]);
}
