//! Sessions: born, found, rotated, noted, swept.

use std::time::Duration;

use tillgate_auth_core::ports::{FirstUse, SessionFilter, SessionRecord, SessionUse};
use tillgate_auth_core::{Epochs, RefreshTerms, Session, SessionKind, Terms};
use tillgate_domain::{DeviceStatus, EndReason, Epoch, Instant, Scope, SessionId, UserStatus};

use super::session_lists::{listed_ids, session_ids};
use crate::AuthStoreHarness;
use crate::contract_fixture::{
    ContractFixture, after_start, device_id, find_session, insert_sessions, key_id, load_session, new_rotation,
    run_read, run_write, session_id,
};

/// A session comes back as it was added: every field, set or not.
pub fn session_is_read_back_as_added(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    let full = Session {
        parent: Some(session_id(1)),
        terms: Terms {
            access: Duration::from_millis(900_001),
            refresh: Some(RefreshTerms { idle: None, overlap: None, first_reusable: true }),
            absolute: Some(Duration::from_hours(2160)),
            midnight: true,
            exchange_overlap: None,
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
        ..shop.new_till_session(2)
    };
    let bare = Session {
        kind: SessionKind::Permanent,
        terms: Terms { refresh: None, ..shop.new_session(3).terms },
        address: None,
        rotated_from: None,
        expires_at: None,
        ..shop.new_session(3)
    };
    let own = Session {
        kind: SessionKind::Device,
        user: None,
        device: Some(shop.till.id),
        dialect: tillgate_auth_core::DialectName::new("fiuu"),
        ..shop.new_session(4)
    };
    let reasons = EndReason::ALL.into_iter().zip(10..);
    let ended =
        reasons.map(|(why, number)| Session { ended: Some((after_start(99), why)), ..shop.new_session(number) });
    let all: Vec<Session> = [shop.new_session(1), full, bare, own].into_iter().chain(ended).collect();
    insert_sessions(bench, &all);
    for session in all {
        assert_eq!(find_session(bench, session.id), Some(session));
    }
}

/// A session that was never added is absent, not a failure.
pub fn unknown_session_is_absent(bench: &AuthStoreHarness) {
    ContractFixture::insert_into(bench);
    assert_eq!(find_session(bench, session_id(1)), None);
}

/// An id is new: the second session of one id is refused and changes nothing.
pub fn session_id_is_used_once(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    insert_sessions(bench, &[shop.new_session(1)]);
    let again = bench.store.run(tillgate_domain::Mode::Write, &mut |tx| {
        tx.sessions().insert(&Session { generation: 9, ..shop.new_session(1) })
    });
    assert!(again.is_err());
    assert_eq!(load_session(bench, session_id(1)), shop.new_session(1));
}

/// A session is found with the epochs and statuses of now and the zone of its tenant.
pub fn session_is_found_with_epochs_and_statuses(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    let on_retired = Session { device: Some(shop.retired_device.id), ..shop.new_session(2) };
    insert_sessions(bench, &[shop.new_till_session(1), on_retired.clone()]);
    run_write(bench, |tx| {
        for (scope, times) in
            [(Scope::User(shop.anna.id), 1), (Scope::Device(shop.till.id), 2), (Scope::Tenant(shop.tenant.id), 3)]
        {
            for _ in 0..times {
                tx.revocations().bump_epoch(scope, EndReason::Admin, after_start(5))?;
            }
        }
        Ok(())
    });
    let standing = |id: SessionId| run_read(bench, |tx| tx.sessions().find(id)).expect("it is there");
    let first = standing(session_id(1));
    let expected = SessionRecord {
        session: first.session.clone(),
        epochs: Epochs { user: Epoch(1), device: Epoch(2), tenant: Epoch(3) },
        user: Some(UserStatus::Active),
        device: Some(DeviceStatus::Active),
        zone: shop.tenant.zone.clone(),
        clock: first.clock,
    };
    assert_eq!(first, expected);
    assert_eq!(first.session.epochs, Epochs::default(), "those that it was made under stay");
    assert_eq!(standing(session_id(2)).device, Some(DeviceStatus::Retired));
}

/// Where a session has no user or no device, their epochs are zero and their statuses absent.
pub fn missing_user_or_device_counts_as_zero(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    let own = Session {
        kind: SessionKind::Device,
        user: None,
        device: Some(shop.foreign_device.id),
        tenant: shop.other_tenant.id,
        ..shop.new_session(2)
    };
    insert_sessions(bench, &[shop.new_session(1), own]);
    let first = run_read(bench, |tx| tx.sessions().find(session_id(1))).unwrap();
    assert_eq!((first.device, first.epochs), (None, Epochs::default()));
    let second = run_read(bench, |tx| tx.sessions().find(session_id(2))).unwrap();
    assert_eq!((second.user, second.epochs), (None, Epochs::default()));
    assert_eq!(second.zone, shop.other_tenant.zone);
}

/// A rotation moves the session on: generation, keys, instants and address, and nothing else.
pub fn rotation_updates_the_session(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    insert_sessions(bench, &[shop.new_till_session(1), shop.new_session(2)]);
    let to = new_rotation(2, after_start(60));
    assert!(run_write(bench, |tx| tx.sessions().rotate(session_id(1), 1, &to)));
    let expected = Session {
        generation: 2,
        key: to.key,
        previous_key: to.previous_key,
        rotated_at: Some(to.at),
        rotated_from: to.from,
        expires_at: to.expires_at,
        ..shop.new_till_session(1)
    };
    assert_eq!(load_session(bench, session_id(1)), expected);
    assert_eq!(load_session(bench, session_id(2)), shop.new_session(2), "another session stays");
    let forever =
        tillgate_auth_core::ports::Rotation { expires_at: None, from: None, ..new_rotation(9, after_start(70)) };
    assert!(run_write(bench, |tx| tx.sessions().rotate(session_id(1), 2, &forever)), "generations may be passed over");
    let now = load_session(bench, session_id(1));
    assert_eq!((now.generation, now.expires_at, now.rotated_from), (9, None, None));
}

/// A store that has a clock of its own says by it how long ago a session was rotated, whatever instant the process wrote.
pub fn rotation_is_dated_by_the_stores_own_clock(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    insert_sessions(bench, &[shop.new_session(1), shop.new_session(2)]);
    let clock = |number| run_read(bench, |tx| tx.sessions().find(session_id(number))).expect("it is there").clock;
    let before = clock(1);
    assert!(run_write(bench, |tx| tx.sessions().rotate(session_id(1), 1, &new_rotation(2, after_start(60)))));
    match (before, clock(1)) {
        (None, None) => assert_eq!(run_read(bench, |tx| tx.feed().poll(None)).clock, None),
        (Some(before), Some(after)) => {
            assert_eq!((before.since_rotation, before.server), (None, after.server));
            assert!(after.since_rotation.is_some_and(|ago| ago < Duration::from_mins(1)), "{after:?}");
            assert_eq!(clock(2).map(|clock| clock.since_rotation), Some(None), "another session was not rotated");
            let look = run_read(bench, |tx| tx.feed().poll(None)).clock.expect("the feed shows the same clock");
            let times = [before.server_time(), after.server_time(), look];
            assert!(times.iter().all(|time| time.server == look.server), "{times:?}");
            assert!(times.is_sorted_by_key(|time| time.now), "{times:?}");
        }
        other => panic!("it has a clock, or it has none: {other:?}"),
    }
}

/// A rotation from another generation than the session stands at is false and changes nothing.
pub fn rotation_from_another_generation_fails(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    let session = Session { generation: 5, ..shop.new_session(1) };
    insert_sessions(bench, std::slice::from_ref(&session));
    for from in [4, 6, 0] {
        assert!(
            !run_write(bench, |tx| tx.sessions().rotate(session_id(1), from, &new_rotation(from + 1, after_start(60)))),
            "{from}"
        );
    }
    assert!(
        !run_write(bench, |tx| tx.sessions().rotate(session_id(2), 1, &new_rotation(2, after_start(60)))),
        "no such session"
    );
    assert_eq!(load_session(bench, session_id(1)), session);
}

/// A rotation may leave the generation where it is: the overlap of the newest refresh token begins anew. One that skips generations
/// is a store's that went back.
pub fn rotation_accepts_any_new_generation(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    insert_sessions(bench, &[Session { generation: 3, ..shop.new_session(1) }]);
    for (from, to) in [(3_i64, 3_i64), (3, 9)] {
        assert!(run_write(bench, |tx| tx.sessions().rotate(
            session_id(1),
            from,
            &new_rotation(to, after_start(60 + to.unsigned_abs()))
        )));
        let stored = load_session(bench, session_id(1));
        assert_eq!(
            (stored.generation, stored.rotated_at),
            (to, Some(after_start(60 + to.unsigned_abs()))),
            "{from} to {to}"
        );
    }
}

/// A session that has been ended is not rotated.
pub fn ended_session_is_not_rotated(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    insert_sessions(bench, &[shop.new_session(1), shop.new_session(2)]);
    run_write(bench, |tx| tx.revocations().end_session(session_id(1), EndReason::Admin, after_start(9)));
    run_write(bench, |tx| tx.revocations().bump_epoch(Scope::User(shop.anna.id), EndReason::Suspended, after_start(9)));
    for number in [1, 2] {
        assert!(
            !run_write(bench, |tx| tx.sessions().rotate(session_id(number), 1, &new_rotation(2, after_start(60)))),
            "{number}"
        );
        assert_eq!(load_session(bench, session_id(number)).generation, 1);
    }
}

/// An extension sets the end of an open session and where its client is, and nothing else; one of another generation, or of a
/// session that has been ended, is false and changes nothing.
pub fn extension_sets_the_expiry_of_an_open_session(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    insert_sessions(bench, &[shop.new_till_session(1), shop.new_session(2)]);
    let from = "2001:db8::5".parse().ok();
    let extend = |number: u8, generation, expires_at, from| {
        run_write(bench, |tx| tx.sessions().extend(session_id(number), generation, expires_at, from))
    };
    assert!(extend(1, 1, Some(after_start(500_000)), from));
    let expected = Session { expires_at: Some(after_start(500_000)), rotated_from: from, ..shop.new_till_session(1) };
    assert_eq!(load_session(bench, session_id(1)), expected);
    assert_eq!(load_session(bench, session_id(2)), shop.new_session(2), "another session stays");
    assert!(!extend(1, 2, Some(after_start(600_000)), None) && !extend(1, 0, Some(after_start(600_000)), None));
    assert!(!extend(9, 1, Some(after_start(600_000)), None), "no such session");
    assert_eq!(load_session(bench, session_id(1)), expected);
    assert_eq!(
        run_write(bench, |tx| tx.sessions().sweep(after_start(400_000), 10)),
        1,
        "the other one, by its own end"
    );
    assert!(extend(1, 1, None, None));
    let forever = Session { expires_at: None, rotated_from: None, ..expected };
    assert_eq!(load_session(bench, session_id(1)), forever);
    assert_eq!(run_write(bench, |tx| tx.sessions().sweep(after_start(10_000_000), 10)), 0);
    run_write(bench, |tx| tx.revocations().end_session(session_id(1), EndReason::Admin, after_start(9)));
    assert!(!extend(1, 1, Some(after_start(600_000)), None));
}

fn new_use(number: u8, generation: i64, when: Instant) -> SessionUse {
    SessionUse { session: session_id(number), generation, at: when }
}

fn device_last_seen(bench: &AuthStoreHarness, number: u8) -> Option<Instant> {
    run_read(bench, |tx| tx.devices().find(device_id(number))).and_then(|device| device.last_seen_at)
}

/// A use raises `used` and `last_used_at` of its session and `last_seen_at` of its device, and touches no other.
pub fn use_is_recorded(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    insert_sessions(bench, &[shop.new_till_session(1), shop.new_session(2), shop.new_session(3)]);
    run_write(bench, |tx| tx.sessions().record_uses(&[new_use(1, 4, after_start(60)), new_use(2, 2, after_start(61))]));
    let expected = Session { used_generation: 4, last_used_at: Some(after_start(60)), ..shop.new_till_session(1) };
    assert_eq!(load_session(bench, session_id(1)), expected);
    let second = load_session(bench, session_id(2));
    assert_eq!((second.used_generation, second.last_used_at), (2, Some(after_start(61))));
    assert_eq!(load_session(bench, session_id(3)), shop.new_session(3));
    assert_eq!((device_last_seen(bench, 1), device_last_seen(bench, 2)), (Some(after_start(60)), None));
}

/// What a use says never falls: each of the three keeps the highest that was said of it.
pub fn recorded_use_never_decreases(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    insert_sessions(bench, &[shop.new_till_session(1), shop.new_till_session(2)]);
    run_write(bench, |tx| tx.sessions().record_uses(&[new_use(1, 4, after_start(60))]));
    run_write(bench, |tx| tx.sessions().record_uses(&[new_use(1, 3, after_start(70))]));
    let now = load_session(bench, session_id(1));
    assert_eq!(
        (now.used_generation, now.last_used_at, device_last_seen(bench, 1)),
        (4, Some(after_start(70)), Some(after_start(70)))
    );
    run_write(bench, |tx| tx.sessions().record_uses(&[new_use(1, 5, after_start(65)), new_use(2, 1, after_start(50))]));
    let now = load_session(bench, session_id(1));
    assert_eq!(
        (now.used_generation, now.last_used_at, device_last_seen(bench, 1)),
        (5, Some(after_start(70)), Some(after_start(70)))
    );
    assert_eq!(load_session(bench, session_id(2)).last_used_at, Some(after_start(50)));
}

/// Uses of one session twice in a batch count like one after the other.
pub fn session_used_twice_in_a_batch_is_recorded(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    insert_sessions(bench, &[shop.new_till_session(1)]);
    run_write(bench, |tx| tx.sessions().record_uses(&[new_use(1, 2, after_start(80)), new_use(1, 3, after_start(70))]));
    let now = load_session(bench, session_id(1));
    assert_eq!(
        (now.used_generation, now.last_used_at, device_last_seen(bench, 1)),
        (3, Some(after_start(80)), Some(after_start(80)))
    );
}

/// A use that names no session is passed over; the others of its batch are noted. So is a batch of none.
pub fn use_of_an_unknown_session_is_ignored(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    insert_sessions(bench, &[shop.new_session(2)]);
    run_write(bench, |tx| {
        tx.sessions().record_uses(&[
            new_use(1, 1, after_start(60)),
            new_use(2, 1, after_start(60)),
            new_use(3, 1, after_start(60)),
        ])
    });
    assert_eq!(load_session(bench, session_id(2)).used_generation, 1);
    assert_eq!(find_session(bench, session_id(1)), None);
    run_write(bench, |tx| tx.sessions().record_uses(&[]));
}

fn list_first_uses(bench: &AuthStoreHarness, number: u8) -> Vec<(i64, Instant)> {
    let uses = run_read(bench, |tx| tx.sessions().list_first_uses(session_id(number)));
    uses.iter().map(|first| (first.generation, first.at)).collect()
}

/// The first use of a generation is noted once: the later one is false and changes nothing. They are told by generation.
pub fn first_use_is_recorded_once(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    insert_sessions(bench, &[shop.new_session(1), shop.new_session(2)]);
    let note = |number: u8, generation, when| {
        let first = FirstUse { generation, at: after_start(when) };
        run_write(bench, |tx| tx.sessions().record_first_use(session_id(number), first, after_start(0)))
    };
    assert!(note(1, 3, 70) && note(1, 2, 60) && note(2, 2, 65));
    assert!(!note(1, 3, 50) && !note(1, 3, 90));
    assert_eq!(list_first_uses(bench, 1), [(2, after_start(60)), (3, after_start(70))]);
    assert_eq!(list_first_uses(bench, 2), [(2, after_start(65))], "another session's");
    assert_eq!(list_first_uses(bench, 3), [], "no such session");
}

/// With a note first uses are forgotten of generations that a later one, first used at that instant or before, makes needless.
pub fn obsolete_first_uses_are_removed(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    insert_sessions(bench, &[shop.new_session(1), shop.new_session(2)]);
    let note = |number: u8, generation, when, settled| {
        let first = FirstUse { generation, at: after_start(when) };
        run_write(bench, |tx| tx.sessions().record_first_use(session_id(number), first, after_start(settled)))
    };
    assert!(note(2, 2, 60, 0) && note(1, 2, 60, 0) && note(1, 3, 70, 59) && note(1, 4, 80, 69));
    assert_eq!(list_first_uses(bench, 1), [(2, after_start(60)), (3, after_start(70)), (4, after_start(80))]);
    assert!(note(1, 5, 90, 70));
    assert_eq!(list_first_uses(bench, 1), [(3, after_start(70)), (4, after_start(80)), (5, after_start(90))]);
    assert!(!note(1, 5, 90, 90));
    assert_eq!(list_first_uses(bench, 1), [(5, after_start(90))]);
    assert_eq!(list_first_uses(bench, 2), [(2, after_start(60))], "another session's");
}

/// First uses go with their session.
pub fn first_uses_are_swept_with_their_session(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    insert_sessions(bench, &[Session { expires_at: Some(after_start(100)), ..shop.new_session(1) }]);
    let first = FirstUse { generation: 2, at: after_start(60) };
    assert!(run_write(bench, |tx| tx.sessions().record_first_use(session_id(1), first, after_start(0))));
    assert_eq!(run_write(bench, |tx| tx.sessions().sweep(after_start(200), 10)), 1);
    assert_eq!(list_first_uses(bench, 1), []);
}

/// The contracts of live sessions are told once each, by their labels; those of ended and expired ones are not.
pub fn dialects_of_live_sessions_are_found(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    let of = |number: u8, label: &str, expires_at| Session {
        dialect: tillgate_auth_core::DialectName::new(label),
        expires_at,
        ..shop.new_session(number)
    };
    let (soon, later) = (Some(after_start(100)), Some(after_start(200)));
    insert_sessions(bench, &[of(1, "portos", later), of(2, "portos", None), of(3, "kasir", None), of(4, "fiuu", soon)]);
    insert_sessions(bench, &[of(5, "posstar", later)]);
    run_write(bench, |tx| tx.revocations().end_session(session_id(5), EndReason::Admin, after_start(9)));
    let told = |now| {
        let dialects = run_read(bench, |tx| tx.sessions().list_live_dialects(now));
        dialects.iter().map(|dialect| dialect.as_str().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(told(after_start(99)), ["fiuu", "kasir", "portos"]);
    assert_eq!(told(after_start(100)), ["kasir", "portos"]);
}

fn session_with_keys(shop: &ContractFixture, number: u8, key: u8, previous: u8) -> Session {
    Session { key: key_id(key), previous_key: key_id(previous), ..shop.new_session(number) }
}

/// A live session names its newest key and the one before; what is ended or expired names none.
pub fn live_session_uses_two_keys(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    let expired =
        |number, key| Session { expires_at: Some(after_start(100)), ..session_with_keys(&shop, number, key, key) };
    let forever = Session { expires_at: None, ..session_with_keys(&shop, 5, 7, 7) };
    insert_sessions(
        bench,
        &[session_with_keys(&shop, 1, 2, 1), session_with_keys(&shop, 2, 3, 3), expired(3, 4), expired(4, 5), forever],
    );
    run_write(bench, |tx| tx.revocations().end_session(session_id(2), EndReason::Admin, after_start(9)));
    let names = |key: u8, now| run_read(bench, |tx| tx.sessions().uses_key(key_id(key), now));
    assert!(names(2, after_start(100)), "the newest");
    assert!(names(1, after_start(100)), "the one before");
    assert!(!names(3, after_start(100)), "of an ended session");
    assert!(!names(4, after_start(100)), "of one that expires at that instant");
    assert!(names(4, after_start(99)), "of one that expires later");
    assert!(names(7, after_start(1_000_000_000)), "of one that never expires");
    assert!(!names(6, after_start(100)), "a key that nobody names");
}

/// The ids of those that name a key, `limit` at most.
pub fn session_ids_are_found_by_key(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    let expired = Session { expires_at: Some(after_start(100)), ..session_with_keys(&shop, 4, 1, 1) };
    insert_sessions(
        bench,
        &[
            session_with_keys(&shop, 1, 1, 1),
            session_with_keys(&shop, 2, 2, 1),
            session_with_keys(&shop, 3, 2, 2),
            expired,
        ],
    );
    insert_sessions(bench, &[session_with_keys(&shop, 5, 1, 3), session_with_keys(&shop, 6, 1, 1)]);
    run_write(bench, |tx| tx.revocations().end_session(session_id(6), EndReason::Admin, after_start(9)));
    let under = |limit| {
        let mut under = run_read(bench, |tx| tx.sessions().ids_by_key(key_id(1), after_start(100), limit));
        under.sort();
        under
    };
    assert_eq!(under(10), session_ids(&[1, 2, 5]));
    let two = under(2);
    assert_eq!(two.len(), 2);
    assert!(two.iter().all(|id| session_ids(&[1, 2, 5]).contains(id)), "{two:?}");
}

/// A sweep removes what was over before the instant and nothing else, and says how many.
pub fn sweep_removes_old_sessions(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    let until = |number: u8, end: Option<Instant>| Session { expires_at: end, ..shop.new_session(number) };
    let (day, week) = (after_start(86_400), after_start(604_800));
    insert_sessions(
        bench,
        &[until(1, Some(day)), until(2, Some(week)), until(3, None), until(4, Some(week)), until(5, None)],
    );
    run_write(bench, |tx| {
        tx.revocations().end_session(session_id(4), EndReason::Logout, after_start(60))?;
        tx.revocations().end_session(session_id(5), EndReason::Logout, week).map(drop)
    });
    let sweep = |before| run_write(bench, |tx| tx.sessions().sweep(before, 10));
    assert_eq!(sweep(after_start(60)), 0, "ended at that instant, not before");
    assert_eq!(sweep(day), 1, "the one that was ended; the other expires at that instant");
    assert_eq!(sweep(day.saturating_add(Duration::from_millis(1))), 1);
    let there: Vec<bool> = (1..=5).map(|number| find_session(bench, session_id(number)).is_some()).collect();
    assert_eq!(there, [false, true, true, false, true], "expired a millisecond ago, and ended though it had a week");
    let list = listed_ids(bench, &SessionFilter { user: Some(shop.anna.id), ..SessionFilter::default() }, None, 10);
    assert_eq!(list, session_ids(&[5, 3, 2]));
}

/// A sweep removes `limit` at most; the next goes on.
pub fn sweep_has_a_limit(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    let over = |number: u8| Session { expires_at: Some(after_start(50)), ..shop.new_session(number) };
    insert_sessions(bench, &[over(1), over(2), over(3), shop.new_session(4)]);
    let sweeps: Vec<u32> = (0..3).map(|_| run_write(bench, |tx| tx.sessions().sweep(after_start(10_000), 2))).collect();
    assert_eq!(sweeps, [2, 1, 0]);
    assert!(find_session(bench, session_id(4)).is_some());
}

/// A rotated session is swept by its new end, not by the old one.
pub fn rotation_postpones_the_sweep(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    insert_sessions(bench, &[Session { expires_at: Some(after_start(100)), ..shop.new_session(1) }]);
    run_write(bench, |tx| tx.sessions().rotate(session_id(1), 1, &new_rotation(2, after_start(90))));
    assert_eq!(run_write(bench, |tx| tx.sessions().sweep(after_start(200), 10)), 0);
    assert!(find_session(bench, session_id(1)).is_some());
}
