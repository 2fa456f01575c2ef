//! Refresh tokens that are presented repeatedly, because their clients cannot store another one:
//! the first of a session whose terms allow it, and any if the terms have no rotation.

use std::time::Duration;

use tillgate_auth_core::{
    Auth, Error, GrantKind, IssuedTokens, LoginRequest, RefreshRequest, RefreshTerms, Terms, TokenDenied,
};
use tillgate_domain::{Action, EndReason};

use crate::shop::{
    HOUR, MINUTE, OVERLAP, Shop, address, authenticate, by_user, native, refresh, refresh_from, refreshing, terms,
    token, token_refused,
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

fn login(shop: &Shop, terms: Terms) -> IssuedTokens {
    shop.auth.login(&LoginRequest { terms, ..by_user("cashier", None) }).unwrap()
}

/// A client that keeps its token presents it from this address.
fn refresh_keeping_token(auth: &Auth, granted: &IssuedTokens, from: u8) -> Result<IssuedTokens, Error> {
    let native = native();
    auth.refresh(&RefreshRequest { keeps_token: true, address: address(from), ..refreshing(token(granted), &native) })
}

#[test]
fn kept_first_token_is_refreshed_without_rotation() {
    let shop = Shop::open();
    let first = login(&shop, reusable());
    for _ in 0..10 {
        shop.clock.advance(11 * HOUR);
        for auth in [&shop.auth, &shop.process()] {
            let again = refresh_keeping_token(auth, &first, 1).unwrap();
            assert_eq!((again.kind, token(&again), again.session.generation), (GrantKind::Repeated, token(&first), 1));
            assert!(authenticate(auth, &again).is_ok(), "a live access token");
        }
    }
    shop.clock.advance(12 * HOUR);
    assert_eq!(
        token_refused(refresh_keeping_token(&shop.auth, &first, 1)),
        TokenDenied::Expired,
        "half a day of silence"
    );
    assert!(shop.audit_events(Action::RefreshReplay).is_empty() && shop.audit_events(Action::RefreshShared).is_empty());
}

#[test]
fn extension_is_written_once_an_hour_at_most() {
    for terms in [reusable(), unrotated()] {
        let shop = Shop::open();
        let first = login(&shop, terms);
        let mut written = 0;
        let mut before = shop.session(first.session.id);
        for minute in 1..=180 {
            shop.clock.advance(MINUTE);
            let again = refresh_keeping_token(&shop.auth, &first, 1).unwrap();
            let now = shop.session(first.session.id);
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
    let shop = Shop::open();
    let first = login(&shop, Terms { absolute: Some(20 * HOUR), ..reusable() });
    shop.clock.advance(10 * HOUR);
    assert_eq!(
        refresh_keeping_token(&shop.auth, &first, 1).unwrap().session_expires_at,
        Some(first.session.created_at.saturating_add(20 * HOUR))
    );
    shop.clock.advance(10 * HOUR);
    assert_eq!(token_refused(refresh_keeping_token(&shop.auth, &first, 1)), TokenDenied::Expired);
}

#[test]
fn unrotated_sessions_are_extended_too() {
    let shop = Shop::open();
    let first = login(&shop, unrotated());
    for _ in 0..4 {
        shop.clock.advance(11 * HOUR);
        let again = refresh(&shop.auth, &first).unwrap();
        assert_eq!((again.kind, token(&again)), (GrantKind::Repeated, token(&first)));
    }
    shop.clock.advance(12 * HOUR);
    assert_eq!(token_refused(refresh(&shop.auth, &first)), TokenDenied::Expired);
}

#[test]
fn first_token_after_rotation_is_treated_as_previous_token() {
    let shop = Shop::open();
    let first = login(&shop, reusable());
    refresh_keeping_token(&shop.auth, &first, 1).unwrap();
    let second = refresh(&shop.auth, &first).unwrap();
    assert_eq!((second.kind, second.session.generation), (GrantKind::Rotated, 2), "a client that does not keep it");
    let again = refresh_keeping_token(&shop.auth, &first, 1).unwrap();
    assert_eq!(
        (again.kind, token(&again)),
        (GrantKind::Repeated, token(&second)),
        "within the overlap it gets the successor"
    );
    authenticate(&shop.auth, &second).unwrap();
    shop.clock.advance(OVERLAP);
    assert_eq!(token_refused(refresh_keeping_token(&shop.auth, &first, 1)), TokenDenied::Replay);
    assert_eq!(shop.session(first.session.id).ended.map(|(_, why)| why), Some(EndReason::Replay));
}

#[test]
fn later_or_disallowed_first_token_rotates() {
    let shop = Shop::open();
    let second = refresh(&shop.auth, &login(&shop, reusable())).unwrap();
    shop.clock.advance(OVERLAP);
    let third = refresh_keeping_token(&shop.auth, &second, 1).unwrap();
    assert_eq!((third.kind, third.session.generation), (GrantKind::Rotated, 3));
    let plain = refresh_keeping_token(&shop.auth, &login(&shop, terms()), 1).unwrap();
    assert_eq!((plain.kind, plain.session.generation), (GrantKind::Rotated, 2));
}

#[test]
fn refresh_from_other_network_is_audited_once_and_remembered() {
    for terms in [reusable(), unrotated()] {
        let shop = Shop::open();
        let first = login(&shop, terms);
        for _ in 0..3 {
            refresh_keeping_token(&shop.auth, &first, 1).unwrap();
            refresh_keeping_token(&shop.auth, &first, 99).unwrap();
        }
        let told = shop.audit_events(Action::RefreshShared);
        let [line] = told.as_slice() else { panic!("{told:?}") };
        assert_eq!((line.actor.session, line.actor.address), (Some(first.session.id), address(99)));
        assert_eq!(shop.session(first.session.id).rotated_from, address(99));
        shop.clock.advance(HOUR);
        for auth in [&shop.auth, &shop.process()] {
            expect_repeated_refresh(auth, &first);
        }
        assert_eq!(shop.audit_events(Action::RefreshShared).len(), 1, "it is known to be there now");
        refresh_keeping_token(&shop.auth, &first, 1).unwrap();
        assert_eq!(shop.audit_events(Action::RefreshShared).len(), 2, "and here again");
    }
}

fn expect_repeated_refresh(auth: &Auth, granted: &IssuedTokens) {
    let again = refresh_keeping_token(auth, granted, 99).unwrap();
    assert_eq!(again.kind, GrantKind::Repeated);
}

#[test]
fn newest_refresh_token_of_each_session_is_selected() {
    let shop = Shop::open();
    let old = shop.user("cashier", None);
    // Two that start in the same millisecond have no order.
    shop.clock.advance(Duration::from_millis(1));
    let new = shop.user("manager", None);
    shop.clock.advance(OVERLAP);
    let newer = refresh(&shop.auth, &new).unwrap();
    let sent = [token(&old), "garbage", token(&newer), token(&new), token(&newer), ""];
    assert_eq!(shop.auth.select_newest_refresh_tokens(&sent).unwrap(), [token(&newer), token(&old)]);
}

#[test]
fn refresh_token_holder_may_end_its_session() {
    let shop = Shop::open();
    let (first, other) = (shop.user("cashier", Some("P01")), shop.user("manager", None));
    let second = refresh_from(&shop.auth, &first, address(1)).unwrap();
    let native = native();
    let market = RefreshRequest { tenant: Some(shop.market.id), ..refreshing(token(&first), &native) };
    assert_eq!(token_refused(shop.auth.end_by_refresh_token(&market, EndReason::Logout)), TokenDenied::WrongAudience);
    let garbage = refreshing("garbage", &native);
    assert_eq!(token_refused(shop.auth.end_by_refresh_token(&garbage, EndReason::Logout)), TokenDenied::Invalid);
    shop.clock.advance(Duration::from_hours(400));
    let holder = refreshing(token(&first), &native);
    for _ in 0..2 {
        shop.auth.end_by_refresh_token(&holder, EndReason::Logout).unwrap();
    }
    assert_eq!(shop.session(first.session.id).ended.map(|(_, why)| why), Some(EndReason::Logout));
    assert_eq!(token_refused(refresh(&shop.auth, &second)), TokenDenied::SessionOver);
    assert_eq!(shop.session(other.session.id).ended, None);
    let told = shop.audit_events(Action::Logout);
    let [line] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((line.actor.user, line.actor.session), (Some(shop.world.cashier.id), Some(first.session.id)));
    shop.auth.end_by_refresh_token(&refreshing(token(&other), &native), EndReason::Replaced).unwrap();
    assert_eq!(shop.session(other.session.id).ended.map(|(_, why)| why), Some(EndReason::Replaced));
    assert_eq!(shop.audit_events(Action::SessionEnd).len(), 1);
}
