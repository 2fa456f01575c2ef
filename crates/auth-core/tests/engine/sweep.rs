//! Maintenance: uses are written, old data is removed, needed data stays.

use tillgate_auth_core::ports::{SessionFilter, SignatureDigest};
use tillgate_domain::StoreExt;

use crate::fixture::{EngineFixture, HOUR, MINUTE, authenticate, by_user, call, refresh, with_password};

const DAY: std::time::Duration = std::time::Duration::from_hours(24);

#[test]
fn sessions_are_removed_a_month_after_their_end() {
    let fixture = EngineFixture::open();
    let ended = fixture.user("cashier", None);
    let (_expired, mut live) = (fixture.user("cashier", None), fixture.user("manager", None));
    fixture.auth.end_session(ended.session.id).unwrap();
    for half_day in 0..62 {
        fixture.clock.advance(12 * HOUR - MINUTE);
        live = refresh(&fixture.auth, &live).unwrap();
        if half_day == 58 {
            fixture.auth.sweep(&mut |_| ()).unwrap();
            assert_eq!(fixture.sessions(), 3, "not yet a month");
        }
    }
    let mut heard = 0;
    let swept = fixture.auth.sweep(&mut |_| heard += 1).unwrap();
    assert_eq!((swept.sessions, fixture.sessions()), (2, 1));
    assert!(heard > 0 && authenticate(&fixture.auth, &live).is_ok());
    assert_eq!(
        fixture.auth.sweep(&mut |_| ()).unwrap(),
        tillgate_auth_core::auth::SweepCounts::default(),
        "nothing is left"
    );
}

#[test]
fn changes_are_removed_after_week_and_networks_after_quarter() {
    let fixture = EngineFixture::open();
    let granted = fixture.user("cashier", None);
    fixture.auth.end_session(granted.session.id).unwrap();
    let _ = fixture.auth.login(&with_password(by_user("cashier", None), "wrong"));
    let changes = || fixture.auth_store().read("test", |tx| tx.feed().poll(None)).unwrap().entries.len();
    let before = changes();
    assert!(before > 0);
    fixture.clock.advance(DAY);
    assert_eq!(fixture.auth.sweep(&mut |_| ()).unwrap().attempts, 0);
    fixture.clock.advance(MINUTE);
    assert_eq!(fixture.auth.sweep(&mut |_| ()).unwrap().attempts, 1, "the wrong password");
    fixture.clock.advance(6 * DAY - MINUTE);
    let swept = fixture.auth.sweep(&mut |_| ()).unwrap();
    assert!(swept.changes == 0 && swept.attempts > 0, "the buckets, which have long been full: {swept:?}");
    fixture.clock.advance(MINUTE);
    let swept = fixture.auth.sweep(&mut |_| ()).unwrap();
    assert_eq!((swept.changes as usize, swept.attempts, swept.known_networks, changes()), (before, 0, 0, 0));
    fixture.clock.advance(90 * DAY);
    assert!(fixture.auth.sweep(&mut |_| ()).unwrap().known_networks > 0);
}

#[test]
fn sweep_removes_rows_in_small_units_of_work() {
    let fixture = EngineFixture::open();
    for _ in 0..1201 {
        fixture.user("cashier", None);
    }
    fixture.clock.advance(31 * DAY);
    let mut parts = Vec::new();
    fixture.auth.sweep(&mut |swept| parts.push(swept.sessions)).unwrap();
    assert_eq!(parts.into_iter().filter(|count| *count > 0).take(3).collect::<Vec<_>>(), [500, 1000, 1201]);
    assert_eq!(fixture.sessions(), 0);
}

#[test]
fn maintenance_writes_uses_and_heartbeat() {
    let fixture = EngineFixture::open();
    let granted = fixture.user("cashier", Some("P01"));
    authenticate(&fixture.auth, &granted).unwrap();
    fixture.auth.run_due_maintenance();
    let session = fixture.session(granted.session.id);
    assert_eq!((session.used_generation, session.last_used_at), (1, Some(fixture.auth.time().at)));
    let filter = SessionFilter { id: Some(granted.session.id), ..SessionFilter::default() };
    assert_eq!(fixture.auth.list_all_sessions(&filter, None, 1).unwrap()[0].session.last_used_at, session.last_used_at);
    let nodes = || fixture.auth_store().read("test", |tx| tx.nodes().list_live(session.created_at)).unwrap();
    assert_eq!(nodes().len(), 1);
    fixture.auth.leave().unwrap();
    assert!(nodes().is_empty());
}

#[test]
fn use_is_written_once_a_minute() {
    let fixture = EngineFixture::open();
    let granted = fixture.user("cashier", Some("P01"));
    let written = || {
        fixture.auth.write_activity().unwrap();
        fixture.session(granted.session.id).last_used_at
    };
    let mut seen = Vec::new();
    for _ in 0..9 {
        call(&fixture.auth, granted.access_token.expose()).unwrap();
        seen.extend(written());
        fixture.clock.advance(MINUTE / 4);
    }
    seen.dedup();
    assert_eq!(seen.len(), 3, "at the start and after each whole minute");
}

/// A signature may be dated so far ahead that it is valid for five minutes; none is removed before.
#[test]
fn signatures_are_removed_once_too_old() {
    let fixture = EngineFixture::open();
    let see = |number: u32| {
        let mut digest = [0; 32];
        digest[..4].copy_from_slice(&number.to_be_bytes());
        let at = fixture.auth.time().at;
        fixture.auth_store().write("test", |tx| tx.signatures().insert_if_new(&SignatureDigest(digest), at)).unwrap()
    };
    for number in 0..1201 {
        assert!(see(number));
    }
    fixture.clock.advance(5 * MINUTE);
    assert_eq!(fixture.auth.sweep(&mut |_| ()).unwrap().signatures, 0, "it could still be good");
    assert!(!see(7) && see(2000));
    fixture.clock.advance(5 * MINUTE);
    assert_eq!(fixture.auth.sweep(&mut |_| ()).unwrap().signatures, 0, "by another clock");
    fixture.clock.advance(std::time::Duration::from_millis(1));
    let mut parts = Vec::new();
    fixture.auth.sweep(&mut |swept| parts.push(swept.signatures)).unwrap();
    assert_eq!(parts.into_iter().filter(|count| *count > 0).collect::<Vec<_>>(), [500, 1000, 1201]);
    assert!(!see(2000), "the younger one stays");
    fixture.clock.step_forward(20 * HOUR);
    assert!(fixture.auth.sweep(&mut |_| ()).is_err(), "on a doubtful clock nothing goes");
}
