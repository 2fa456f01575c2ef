//! Refresh tokens that are presented repeatedly, because their clients cannot store another one:
//! the first of a session whose terms allow it, and any if the terms have no rotation.

use std::time::Duration;

use tillgate_auth_core::{
    Auth, Error, GrantKind, IssuedTokens, LoginRequest, RefreshRequest, RefreshTerms, Terms, TokenDenied,
};
use tillgate_domain::{Action, EndReason};

use crate::fixture::{
    EngineFixture, HOUR, MINUTE, OVERLAP, address, authenticate, by_user, native, refresh, refresh_from, refreshing,
    terms, token, token_refused,
};

/// Sessions of half a day whose first refresh token is reusable.
fn reusable() -> Terms {
    let refresh = RefreshTerms { idle: Some(12 * HOUR), overlap: Some(OVERLAP), first_reusable: true };
    Terms { refresh: Some(refresh), ..terms() }
}

fn unrotated() -> Terms {
    let refresh = RefreshTerms { idle: Some(12 * HOUR), overlap: None, first_reusable: false };
    Terms { refresh: Some(refresh), ..terms() }
}

fn login(fixture: &EngineFixture, terms: Terms) -> IssuedTokens {
    fixture.auth.login(&LoginRequest { terms, ..by_user("cashier", None) }).unwrap()
}

/// A client that keeps its token presents it from this address.
fn refresh_keeping_token(auth: &Auth, granted: &IssuedTokens, from: u8) -> Result<IssuedTokens, Error> {
    let native = native();
    auth.refresh(&RefreshRequest { keeps_token: true, address: address(from), ..refreshing(token(granted), &native) })
}

#[test]
fn kept_first_token_is_refreshed_without_rotation() {
    let fixture = EngineFixture::open();
    let first = login(&fixture, reusable());
    for _ in 0..10 {
        fixture.clock.advance(11 * HOUR);
        for auth in [&fixture.auth, &fixture.process()] {
            let again = refresh_keeping_token(auth, &first, 1).unwrap();
            assert_eq!((again.kind, token(&again), again.session.generation), (GrantKind::Repeated, token(&first), 1));
            assert!(authenticate(auth, &again).is_ok(), "a live access token");
        }
    }
    fixture.clock.advance(12 * HOUR);
    assert_eq!(
        token_refused(refresh_keeping_token(&fixture.auth, &first, 1)),
        TokenDenied::Expired,
        "half a day of silence"
    );
    assert!(
        fixture.audit_events(Action::RefreshReplay).is_empty()
            && fixture.audit_events(Action::RefreshShared).is_empty()
    );
}

#[test]
fn extension_is_written_once_an_hour_at_most() {
    for terms in [reusable(), unrotated()] {
        let fixture = EngineFixture::open();
        let first = login(&fixture, terms);
        let mut written = 0;
        let mut before = fixture.session(first.session.id);
        for minute in 1..=180 {
            fixture.clock.advance(MINUTE);
            let again = refresh_keeping_token(&fixture.auth, &first, 1).unwrap();
            let now = fixture.session(first.session.id);
            assert_eq!(again.session_expires_at, now.expires_at, "minute {minute}");
            written += usize::from(now != before);
            before = now;
        }
        assert_eq!(written, 3);
        let moved = tillgate_auth_core::Session { expires_at: before.expires_at, ..first.session.clone() };
        let used = tillgate_auth_core::Session {
            used_generation: before.used_generation,
            last_used_at: before.last_used_at,
            ..moved
        };
        assert_eq!(before, used, "nothing else was written");
    }
}

#[test]
fn extension_never_passes_absolute_end() {
    let fixture = EngineFixture::open();
    let first = login(&fixture, Terms { absolute: Some(20 * HOUR), ..reusable() });
    fixture.clock.advance(10 * HOUR);
    assert_eq!(
        refresh_keeping_token(&fixture.auth, &first, 1).unwrap().session_expires_at,
        Some(first.session.created_at.saturating_add(20 * HOUR))
    );
    fixture.clock.advance(10 * HOUR);
    assert_eq!(token_refused(refresh_keeping_token(&fixture.auth, &first, 1)), TokenDenied::Expired);
}

#[test]
fn unrotated_sessions_are_extended_too() {
    let fixture = EngineFixture::open();
    let first = login(&fixture, unrotated());
    for _ in 0..4 {
        fixture.clock.advance(11 * HOUR);
        let again = refresh(&fixture.auth, &first).unwrap();
        assert_eq!((again.kind, token(&again)), (GrantKind::Repeated, token(&first)));
    }
    fixture.clock.advance(12 * HOUR);
    assert_eq!(token_refused(refresh(&fixture.auth, &first)), TokenDenied::Expired);
}

#[test]
fn first_token_after_rotation_is_treated_as_previous_token() {
    let fixture = EngineFixture::open();
    let first = login(&fixture, reusable());
    refresh_keeping_token(&fixture.auth, &first, 1).unwrap();
    let second = refresh(&fixture.auth, &first).unwrap();
    assert_eq!((second.kind, second.session.generation), (GrantKind::Rotated, 2), "a client that does not keep it");
    let again = refresh_keeping_token(&fixture.auth, &first, 1).unwrap();
    assert_eq!(
        (again.kind, token(&again)),
        (GrantKind::Repeated, token(&second)),
        "within the overlap it gets the successor"
    );
    authenticate(&fixture.auth, &second).unwrap();
    fixture.clock.advance(OVERLAP);
    assert_eq!(token_refused(refresh_keeping_token(&fixture.auth, &first, 1)), TokenDenied::Replay);
    assert_eq!(fixture.session(first.session.id).ended.map(|(_, why)| why), Some(EndReason::Replay));
}

#[test]
fn later_or_disallowed_first_token_rotates() {
    let fixture = EngineFixture::open();
    let second = refresh(&fixture.auth, &login(&fixture, reusable())).unwrap();
    fixture.clock.advance(OVERLAP);
    let third = refresh_keeping_token(&fixture.auth, &second, 1).unwrap();
    assert_eq!((third.kind, third.session.generation), (GrantKind::Rotated, 3));
    let plain = refresh_keeping_token(&fixture.auth, &login(&fixture, terms()), 1).unwrap();
    assert_eq!((plain.kind, plain.session.generation), (GrantKind::Rotated, 2));
}

#[test]
fn refresh_from_other_network_is_audited_once_and_remembered() {
    for terms in [reusable(), unrotated()] {
        let fixture = EngineFixture::open();
        let first = login(&fixture, terms);
        for _ in 0..3 {
            refresh_keeping_token(&fixture.auth, &first, 1).unwrap();
            refresh_keeping_token(&fixture.auth, &first, 99).unwrap();
        }
        let events = fixture.audit_events(Action::RefreshShared);
        let [line] = events.as_slice() else { panic!("{events:?}") };
        assert_eq!((line.actor.session, line.actor.address), (Some(first.session.id), address(99)));
        assert_eq!(fixture.session(first.session.id).rotated_from, address(99));
        fixture.clock.advance(HOUR);
        for auth in [&fixture.auth, &fixture.process()] {
            expect_repeated_refresh(auth, &first);
        }
        assert_eq!(fixture.audit_events(Action::RefreshShared).len(), 1, "it is known to be there now");
        refresh_keeping_token(&fixture.auth, &first, 1).unwrap();
        assert_eq!(fixture.audit_events(Action::RefreshShared).len(), 2, "and here again");
    }
}

fn expect_repeated_refresh(auth: &Auth, granted: &IssuedTokens) {
    let again = refresh_keeping_token(auth, granted, 99).unwrap();
    assert_eq!(again.kind, GrantKind::Repeated);
}

#[test]
fn newest_refresh_token_of_each_session_is_selected() {
    let fixture = EngineFixture::open();
    let old = fixture.user("cashier", None);
    // Two that start in the same millisecond have no order.
    fixture.clock.advance(Duration::from_millis(1));
    let new = fixture.user("manager", None);
    fixture.clock.advance(OVERLAP);
    let newer = refresh(&fixture.auth, &new).unwrap();
    let sent = [token(&old), "garbage", token(&newer), token(&new), token(&newer), ""];
    assert_eq!(fixture.auth.select_newest_refresh_tokens(&sent).unwrap(), [token(&newer), token(&old)]);
}

#[test]
fn refresh_token_holder_may_end_its_session() {
    let fixture = EngineFixture::open();
    let (first, other) = (fixture.user("cashier", Some("P01")), fixture.user("manager", None));
    let second = refresh_from(&fixture.auth, &first, address(1)).unwrap();
    let native = native();
    let market = RefreshRequest { tenant: Some(fixture.market.tenant.id), ..refreshing(token(&first), &native) };
    assert_eq!(
        token_refused(fixture.auth.end_by_refresh_token(&market, EndReason::Logout)),
        TokenDenied::WrongAudience
    );
    let garbage = refreshing("garbage", &native);
    assert_eq!(token_refused(fixture.auth.end_by_refresh_token(&garbage, EndReason::Logout)), TokenDenied::Invalid);
    fixture.clock.advance(Duration::from_hours(400));
    let holder = refreshing(token(&first), &native);
    for _ in 0..2 {
        fixture.auth.end_by_refresh_token(&holder, EndReason::Logout).unwrap();
    }
    assert_eq!(fixture.session(first.session.id).ended.map(|(_, why)| why), Some(EndReason::Logout));
    assert_eq!(token_refused(refresh(&fixture.auth, &second)), TokenDenied::SessionOver);
    assert_eq!(fixture.session(other.session.id).ended, None);
    let events = fixture.audit_events(Action::Logout);
    let [line] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!(
        (line.actor.user, line.actor.session),
        (Some(fixture.records.user("cashier").id), Some(first.session.id))
    );
    fixture.auth.end_by_refresh_token(&refreshing(token(&other), &native), EndReason::Replaced).unwrap();
    assert_eq!(fixture.session(other.session.id).ended.map(|(_, why)| why), Some(EndReason::Replaced));
    assert_eq!(fixture.audit_events(Action::SessionEnd).len(), 1);
}
