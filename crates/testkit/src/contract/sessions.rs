//! Sessions: inserted, found, rotated, extended and swept.

use std::time::Duration;

use tillgate_auth_core::ports::{SessionFilter, SessionRecord};
use tillgate_auth_core::{AuthenticationInfo, Epochs, RefreshTerms, Session, SessionKind, Terms};
use tillgate_domain::{DeviceStatus, EndReason, Epoch, Instant, Scope, SessionId, UserStatus};

use super::session_lists::{listed_ids, session_ids};
use crate::AuthStoreHarness;
use crate::contract_fixture::{
    ContractFixture, after_start, find_session, insert_sessions, key_id, load_session, new_rotation, run_read,
    run_write, session_id,
};

/// A session is read back as it was inserted: every field, set or not.
pub fn session_is_read_back_as_added(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    let full = Session {
        parent: Some(session_id(1)),
        terms: Terms {
            access: Duration::from_millis(900_001),
            refresh: Some(RefreshTerms { idle: None, overlap: None, first_reusable: true }),
            absolute: Some(Duration::from_hours(2160)),
            midnight: true,
            exchange_overlap: None,
            office: None,
        },
        generation: 7,
        previous_key: key_id(3),
        used_generation: 6,
        epochs: Epochs { user: Epoch(3), device: Epoch(4), tenant: Epoch(5) },
        address: "2001:db8::1".parse().ok(),
        rotated_from: "::ffff:192.0.2.1".parse().ok(),
        thumbprint: Some(vec![0, 1, 254, 255]),
        rotated_at: Some(after_start(50)),
        last_used_at: Some(after_start(51)),
        ended: Some((after_start(52), EndReason::Replaced)),
        ..fixture.new_till_session(2)
    };
    let bare = Session {
        kind: SessionKind::Permanent,
        terms: Terms { refresh: None, ..fixture.new_session(3).terms },
        address: None,
        rotated_from: None,
        expires_at: None,
        ..fixture.new_session(3)
    };
    let own = Session {
        kind: SessionKind::Device,
        user: None,
        device: Some(fixture.till.id),
        dialect: tillgate_auth_core::DialectName::new("fiuu"),
        ..fixture.new_session(4)
    };
    let reasons = EndReason::ALL.into_iter().zip(10..);
    let ended =
        reasons.map(|(why, number)| Session { ended: Some((after_start(99), why)), ..fixture.new_session(number) });
    let all: Vec<Session> = [fixture.new_session(1), full, bare, own].into_iter().chain(ended).collect();
    insert_sessions(harness, &all);
    for session in all {
        assert_eq!(find_session(harness, session.id), Some(session));
    }
}

/// An unknown session is absent, which is not an error.
pub fn unknown_session_is_absent(harness: &AuthStoreHarness) {
    ContractFixture::insert_into(harness);
    assert_eq!(find_session(harness, session_id(1)), None);
}

/// A session id is unique: a second session with the same id is rejected and changes nothing.
pub fn session_id_is_used_once(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    insert_sessions(harness, &[fixture.new_session(1)]);
    let again = harness.store.run(tillgate_domain::UnitOfWork::write("test"), &mut |tx| {
        tx.sessions().insert(&Session { generation: 9, ..fixture.new_session(1) })
    });
    assert!(again.is_err());
    assert_eq!(load_session(harness, session_id(1)), fixture.new_session(1));
}

/// A session is found with the current epochs and statuses of its user and device, and with its
/// tenant's time zone.
pub fn session_is_found_with_epochs_and_statuses(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    let on_retired = Session { device: Some(fixture.retired_device.id), ..fixture.new_session(2) };
    insert_sessions(harness, &[fixture.new_till_session(1), on_retired.clone()]);
    run_write(harness, |tx| {
        for (scope, times) in [
            (Scope::User(fixture.anna.id), 1),
            (Scope::Device(fixture.till.id), 2),
            (Scope::Tenant(fixture.tenant.id), 3),
        ] {
            for _ in 0..times {
                tx.revocations().bump_epoch(scope, EndReason::Admin, after_start(5))?;
            }
        }
        Ok(())
    });
    let standing = |id: SessionId| run_read(harness, |tx| tx.sessions().find(id)).expect("it is stored");
    let first = standing(session_id(1));
    let expected = SessionRecord {
        session: first.session.clone(),
        epochs: Epochs { user: Epoch(1), device: Epoch(2), tenant: Epoch(3) },
        user: Some(UserStatus::Active),
        device: Some(DeviceStatus::Active),
        zone: fixture.tenant.zone.clone(),
        clock: first.clock,
    };
    assert_eq!(first, expected);
    assert_eq!(first.session.epochs, Epochs::default(), "the session keeps the epochs of its creation");
    assert_eq!(standing(session_id(2)).device, Some(DeviceStatus::Retired));
}

/// A session without a user or a device has the epoch 0 and no status for it.
pub fn missing_user_or_device_counts_as_zero(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    let own = Session {
        kind: SessionKind::Device,
        user: None,
        device: Some(fixture.foreign_device.id),
        tenant: fixture.other_tenant.id,
        ..fixture.new_session(2)
    };
    insert_sessions(harness, &[fixture.new_session(1), own]);
    let first = run_read(harness, |tx| tx.sessions().find(session_id(1))).unwrap();
    assert_eq!((first.device, first.epochs), (None, Epochs::default()));
    let second = run_read(harness, |tx| tx.sessions().find(session_id(2))).unwrap();
    assert_eq!((second.user, second.epochs), (None, Epochs::default()));
    assert_eq!(second.zone, fixture.other_tenant.zone);
}

/// A rotation changes the generation, keys, instants and address of the session, and no other
/// field.
pub fn rotation_updates_the_session(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    insert_sessions(harness, &[fixture.new_till_session(1), fixture.new_session(2)]);
    let to = new_rotation(2, after_start(60));
    assert!(run_write(harness, |tx| tx.sessions().rotate(session_id(1), 1, &to)));
    let expected = Session {
        generation: 2,
        key: to.key,
        previous_key: to.previous_key,
        rotated_at: Some(to.at),
        rotated_from: to.from,
        expires_at: to.expires_at,
        ..fixture.new_till_session(1)
    };
    assert_eq!(load_session(harness, session_id(1)), expected);
    assert_eq!(load_session(harness, session_id(2)), fixture.new_session(2), "another session stays");
    let forever =
        tillgate_auth_core::ports::Rotation { expires_at: None, from: None, ..new_rotation(9, after_start(70)) };
    assert!(run_write(harness, |tx| tx.sessions().rotate(session_id(1), 2, &forever)), "generations may be skipped");
    let now = load_session(harness, session_id(1));
    assert_eq!((now.generation, now.expires_at, now.rotated_from), (9, None, None));
    let proved =
        tillgate_auth_core::ports::Rotation { proved_at: Some(after_start(80)), ..new_rotation(10, after_start(80)) };
    assert!(run_write(harness, |tx| tx.sessions().rotate(session_id(1), 9, &proved)));
    let now = load_session(harness, session_id(1)).authentication;
    assert_eq!(now, AuthenticationInfo { at: after_start(80), ..expected.authentication });
}

/// A store with a clock of its own computes the age of a rotation by that clock, whatever instant
/// the process wrote.
pub fn rotation_is_dated_by_the_stores_own_clock(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    insert_sessions(harness, &[fixture.new_session(1), fixture.new_session(2)]);
    let clock = |number| run_read(harness, |tx| tx.sessions().find(session_id(number))).expect("it is stored").clock;
    let before = clock(1);
    assert!(run_write(harness, |tx| tx.sessions().rotate(session_id(1), 1, &new_rotation(2, after_start(60)))));
    match (before, clock(1)) {
        (None, None) => assert_eq!(run_read(harness, |tx| tx.feed().poll(None)).clock, None),
        (Some(before), Some(after)) => {
            assert_eq!((before.since_rotation, before.server), (None, after.server));
            assert!(after.since_rotation.is_some_and(|ago| ago < Duration::from_mins(1)), "{after:?}");
            assert_eq!(clock(2).map(|clock| clock.since_rotation), Some(None), "another session was not rotated");
            let look = run_read(harness, |tx| tx.feed().poll(None)).clock.expect("the feed shows the same clock");
            let times = [before.server_time(), after.server_time(), look];
            assert!(times.iter().all(|time| time.server == look.server), "{times:?}");
            assert!(times.is_sorted_by_key(|time| time.now), "{times:?}");
        }
        other => panic!("it has a clock, or it has none: {other:?}"),
    }
}

/// A rotation from another generation than the current one returns false and changes nothing.
pub fn rotation_from_another_generation_fails(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    let session = Session { generation: 5, ..fixture.new_session(1) };
    insert_sessions(harness, std::slice::from_ref(&session));
    for from in [4, 6, 0] {
        assert!(
            !run_write(harness, |tx| tx.sessions().rotate(
                session_id(1),
                from,
                &new_rotation(from + 1, after_start(60))
            )),
            "{from}"
        );
    }
    assert!(
        !run_write(harness, |tx| tx.sessions().rotate(session_id(2), 1, &new_rotation(2, after_start(60)))),
        "no such session"
    );
    assert_eq!(load_session(harness, session_id(1)), session);
}

/// A rotation may keep the generation: the grace period of the newest refresh token starts again.
/// It may also skip generations, as is needed after a backup was restored.
pub fn rotation_accepts_any_new_generation(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    insert_sessions(harness, &[Session { generation: 3, ..fixture.new_session(1) }]);
    for (from, to) in [(3_i64, 3_i64), (3, 9)] {
        assert!(run_write(harness, |tx| tx.sessions().rotate(
            session_id(1),
            from,
            &new_rotation(to, after_start(60 + to.unsigned_abs()))
        )));
        let stored = load_session(harness, session_id(1));
        assert_eq!(
            (stored.generation, stored.rotated_at),
            (to, Some(after_start(60 + to.unsigned_abs()))),
            "{from} to {to}"
        );
    }
}

/// A session that has ended is not rotated.
pub fn ended_session_is_not_rotated(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    insert_sessions(harness, &[fixture.new_session(1), fixture.new_session(2)]);
    run_write(harness, |tx| tx.revocations().end_session(session_id(1), EndReason::Admin, after_start(9)));
    run_write(harness, |tx| {
        tx.revocations().bump_epoch(Scope::User(fixture.anna.id), EndReason::Suspended, after_start(9))
    });
    for number in [1, 2] {
        assert!(
            !run_write(harness, |tx| tx.sessions().rotate(session_id(number), 1, &new_rotation(2, after_start(60)))),
            "{number}"
        );
        assert_eq!(load_session(harness, session_id(number)).generation, 1);
    }
}

/// An extension sets the expiry and the client's address of a live session, and no other field. At
/// another generation, or for a session that has ended, it returns false and changes nothing.
pub fn extension_sets_the_expiry_of_an_open_session(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    insert_sessions(harness, &[fixture.new_till_session(1), fixture.new_session(2)]);
    let from = "2001:db8::5".parse().ok();
    let extend = |number: u8, generation, expires_at, from| {
        run_write(harness, |tx| tx.sessions().extend(session_id(number), generation, expires_at, from))
    };
    assert!(extend(1, 1, Some(after_start(500_000)), from));
    let expected =
        Session { expires_at: Some(after_start(500_000)), rotated_from: from, ..fixture.new_till_session(1) };
    assert_eq!(load_session(harness, session_id(1)), expected);
    assert_eq!(load_session(harness, session_id(2)), fixture.new_session(2), "another session stays");
    assert!(!extend(1, 2, Some(after_start(600_000)), None) && !extend(1, 0, Some(after_start(600_000)), None));
    assert!(!extend(9, 1, Some(after_start(600_000)), None), "no such session");
    assert_eq!(load_session(harness, session_id(1)), expected);
    assert_eq!(
        run_write(harness, |tx| tx.sessions().sweep(after_start(400_000), 10)),
        1,
        "the other session, which is published by itself"
    );
    assert!(extend(1, 1, None, None));
    let forever = Session { expires_at: None, rotated_from: None, ..expected };
    assert_eq!(load_session(harness, session_id(1)), forever);
    assert_eq!(run_write(harness, |tx| tx.sessions().sweep(after_start(10_000_000), 10)), 0);
    run_write(harness, |tx| tx.revocations().end_session(session_id(1), EndReason::Admin, after_start(9)));
    assert!(!extend(1, 1, Some(after_start(600_000)), None));
}

/// The dialects of live sessions are listed by name, each once; those of ended and expired sessions
/// are not.
pub fn dialects_of_live_sessions_are_found(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    let of = |number: u8, label: &str, expires_at| Session {
        dialect: tillgate_auth_core::DialectName::new(label),
        expires_at,
        ..fixture.new_session(number)
    };
    let (soon, later) = (Some(after_start(100)), Some(after_start(200)));
    insert_sessions(
        harness,
        &[of(1, "portos", later), of(2, "portos", None), of(3, "kasir", None), of(4, "fiuu", soon)],
    );
    insert_sessions(harness, &[of(5, "posstar", later)]);
    run_write(harness, |tx| tx.revocations().end_session(session_id(5), EndReason::Admin, after_start(9)));
    let live_dialects = |now| {
        let dialects = run_read(harness, |tx| tx.sessions().list_live_dialects(now));
        dialects.iter().map(|dialect| dialect.as_str().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(live_dialects(after_start(99)), ["fiuu", "kasir", "portos"]);
    assert_eq!(live_dialects(after_start(100)), ["kasir", "portos"]);
}

fn session_with_keys(fixture: &ContractFixture, number: u8, key: u8, previous: u8) -> Session {
    Session { key: key_id(key), previous_key: key_id(previous), ..fixture.new_session(number) }
}

/// A live session uses its current key and the previous one. A session that has ended or expired
/// uses no key.
pub fn live_session_uses_two_keys(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    let expired =
        |number, key| Session { expires_at: Some(after_start(100)), ..session_with_keys(&fixture, number, key, key) };
    let forever = Session { expires_at: None, ..session_with_keys(&fixture, 5, 7, 7) };
    insert_sessions(
        harness,
        &[
            session_with_keys(&fixture, 1, 2, 1),
            session_with_keys(&fixture, 2, 3, 3),
            expired(3, 4),
            expired(4, 5),
            forever,
        ],
    );
    run_write(harness, |tx| tx.revocations().end_session(session_id(2), EndReason::Admin, after_start(9)));
    let names = |key: u8, now| run_read(harness, |tx| tx.sessions().uses_key(key_id(key), now));
    assert!(names(2, after_start(100)), "the newest");
    assert!(names(1, after_start(100)), "the one before");
    assert!(!names(3, after_start(100)), "the key of an ended session");
    assert!(!names(4, after_start(100)), "the key of a session that expires at that instant");
    assert!(names(4, after_start(99)), "the key of a session that expires later");
    assert!(names(7, after_start(1_000_000_000)), "the key of a session that never expires");
    assert!(!names(6, after_start(100)), "a key that no session uses");
}

/// The ids of the live sessions that use a key are listed, at most `limit`.
pub fn session_ids_are_found_by_key(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    let expired = Session { expires_at: Some(after_start(100)), ..session_with_keys(&fixture, 4, 1, 1) };
    insert_sessions(
        harness,
        &[
            session_with_keys(&fixture, 1, 1, 1),
            session_with_keys(&fixture, 2, 2, 1),
            session_with_keys(&fixture, 3, 2, 2),
            expired,
        ],
    );
    insert_sessions(harness, &[session_with_keys(&fixture, 5, 1, 3), session_with_keys(&fixture, 6, 1, 1)]);
    run_write(harness, |tx| tx.revocations().end_session(session_id(6), EndReason::Admin, after_start(9)));
    let under = |limit| {
        let mut under = run_read(harness, |tx| tx.sessions().ids_by_key(key_id(1), after_start(100), limit));
        under.sort();
        under
    };
    assert_eq!(under(10), session_ids(&[1, 2, 5]));
    let two = under(2);
    assert_eq!(two.len(), 2);
    assert!(two.iter().all(|id| session_ids(&[1, 2, 5]).contains(id)), "{two:?}");
}

/// A sweep removes the sessions that were over before the instant and nothing else, and returns how
/// many.
pub fn sweep_removes_old_sessions(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    let until = |number: u8, end: Option<Instant>| Session { expires_at: end, ..fixture.new_session(number) };
    let (day, week) = (after_start(86_400), after_start(604_800));
    insert_sessions(
        harness,
        &[until(1, Some(day)), until(2, Some(week)), until(3, None), until(4, Some(week)), until(5, None)],
    );
    run_write(harness, |tx| {
        tx.revocations().end_session(session_id(4), EndReason::Logout, after_start(60))?;
        tx.revocations().end_session(session_id(5), EndReason::Logout, week).map(drop)
    });
    let sweep = |before| run_write(harness, |tx| tx.sessions().sweep(before, 10));
    assert_eq!(sweep(after_start(60)), 0, "ended at that instant, not earlier");
    assert_eq!(sweep(day), 1, "the one that was ended; the other expires at that instant");
    assert_eq!(sweep(day.saturating_add(Duration::from_millis(1))), 1);
    let there: Vec<bool> = (1..=5).map(|number| find_session(harness, session_id(number)).is_some()).collect();
    assert_eq!(there, [false, true, true, false, true], "expired a millisecond ago, and ended though it had a week");
    let list =
        listed_ids(harness, &SessionFilter { user: Some(fixture.anna.id), ..SessionFilter::default() }, None, 10);
    assert_eq!(list, session_ids(&[5, 3, 2]));
}

/// A sweep removes at most `limit` sessions; the next sweep continues.
pub fn sweep_has_a_limit(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    let over = |number: u8| Session { expires_at: Some(after_start(50)), ..fixture.new_session(number) };
    insert_sessions(harness, &[over(1), over(2), over(3), fixture.new_session(4)]);
    let sweeps: Vec<u32> =
        (0..3).map(|_| run_write(harness, |tx| tx.sessions().sweep(after_start(10_000), 2))).collect();
    assert_eq!(sweeps, [2, 1, 0]);
    assert!(find_session(harness, session_id(4)).is_some());
}

/// A rotated session is swept by its new expiry, not by its previous one.
pub fn rotation_postpones_the_sweep(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    insert_sessions(harness, &[Session { expires_at: Some(after_start(100)), ..fixture.new_session(1) }]);
    run_write(harness, |tx| tx.sessions().rotate(session_id(1), 1, &new_rotation(2, after_start(90))));
    assert_eq!(run_write(harness, |tx| tx.sessions().sweep(after_start(200), 10)), 0);
    assert!(find_session(harness, session_id(1)).is_some());
}
