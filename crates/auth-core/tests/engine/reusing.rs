//! Refresh tokens that are presented again and again, since their clients cannot store another: the first of a session whose terms
//! allow it, and any where the terms say that none is rotated.

use std::time::Duration;

use tillgate_auth_core::{Auth, Error, Granted, How, Login, Refresh, Refreshing, Terms, TokenRefusal};
use tillgate_domain::{Action, EndedWhy};

use crate::shop::{
    HOUR, MINUTE, OVERLAP, Shop, address, by_user, native, refreshed, refreshed_from, refreshing, terms, token,
    token_refused, used,
};

/// Sessions of half a day whose first refresh token may be reused.
fn reusable() -> Terms {
    let refresh = Refresh { idle: Some(12 * HOUR), overlap: Some(OVERLAP), first_reusable: true };
    Terms { refresh: Some(refresh), ..terms() }
}

fn unrotated() -> Terms {
    let refresh = Refresh { idle: Some(12 * HOUR), overlap: None, first_reusable: false };
    Terms { refresh: Some(refresh), ..terms() }
}

fn login(shop: &Shop, terms: Terms) -> Granted {
    shop.auth.login(&Login { terms, ..by_user("cashier", None) }).unwrap()
}

/// A client that keeps its token presents it from this address.
fn kept(auth: &Auth, granted: &Granted, from: u8) -> Result<Granted, Error> {
    let native = native();
    auth.refresh(&Refreshing { keeps_token: true, address: address(from), ..refreshing(token(granted), &native) })
}

#[test]
fn a_first_token_that_is_kept_is_answered_without_rotation_for_as_long_as_it_is_used() {
    let shop = Shop::open();
    let first = login(&shop, reusable());
    for _ in 0..10 {
        shop.clock.advance(11 * HOUR);
        for auth in [&shop.auth, &shop.process()] {
            let again = kept(auth, &first, 1).unwrap();
            assert_eq!((again.how, token(&again), again.session.generation), (How::Repeated, token(&first), 1));
            assert!(used(auth, &again).is_ok(), "a live access token");
        }
    }
    shop.clock.advance(12 * HOUR);
    assert_eq!(token_refused(kept(&shop.auth, &first, 1)), TokenRefusal::Expired, "half a day of silence");
    assert!(shop.told(Action::RefreshReplay).is_empty() && shop.told(Action::RefreshShared).is_empty());
}

#[test]
fn an_extension_is_written_once_an_hour_at_most() {
    for terms in [reusable(), unrotated()] {
        let shop = Shop::open();
        let first = login(&shop, terms);
        let mut written = 0;
        let mut before = shop.session(first.session.id);
        for minute in 1..=180 {
            shop.clock.advance(MINUTE);
            let again = kept(&shop.auth, &first, 1).unwrap();
            let now = shop.session(first.session.id);
            assert_eq!(again.session_expires_at, now.expires_at, "minute {minute}");
            written += usize::from(now != before);
            before = now;
        }
        assert_eq!(written, 3);
        let moved = tillgate_auth_core::Session { expires_at: before.expires_at, ..first.session.clone() };
        let used = tillgate_auth_core::Session { used: before.used, last_used_at: before.last_used_at, ..moved };
        assert_eq!(before, used, "nothing else was written");
    }
}

#[test]
fn an_extension_never_passes_the_absolute_end() {
    let shop = Shop::open();
    let first = login(&shop, Terms { absolute: Some(20 * HOUR), ..reusable() });
    shop.clock.advance(10 * HOUR);
    assert_eq!(
        kept(&shop.auth, &first, 1).unwrap().session_expires_at,
        Some(first.session.created_at.after(20 * HOUR))
    );
    shop.clock.advance(10 * HOUR);
    assert_eq!(token_refused(kept(&shop.auth, &first, 1)), TokenRefusal::Expired);
}

#[test]
fn a_tenant_without_rotation_extends_its_sessions_too() {
    let shop = Shop::open();
    let first = login(&shop, unrotated());
    for _ in 0..4 {
        shop.clock.advance(11 * HOUR);
        let again = refreshed(&shop.auth, &first).unwrap();
        assert_eq!((again.how, token(&again)), (How::Repeated, token(&first)));
    }
    shop.clock.advance(12 * HOUR);
    assert_eq!(token_refused(refreshed(&shop.auth, &first)), TokenRefusal::Expired);
}

#[test]
fn once_a_rotation_has_followed_the_first_token_is_as_any_old_one() {
    let shop = Shop::open();
    let first = login(&shop, reusable());
    kept(&shop.auth, &first, 1).unwrap();
    let second = refreshed(&shop.auth, &first).unwrap();
    assert_eq!((second.how, second.session.generation), (How::Rotated, 2), "a client that does not keep it");
    let again = kept(&shop.auth, &first, 1).unwrap();
    assert_eq!((again.how, token(&again)), (How::Repeated, token(&second)), "within the overlap it gets the successor");
    used(&shop.auth, &second).unwrap();
    shop.clock.advance(OVERLAP);
    assert_eq!(token_refused(kept(&shop.auth, &first, 1)), TokenRefusal::Replay);
    assert_eq!(shop.session(first.session.id).ended.map(|(_, why)| why), Some(EndedWhy::Replay));
}

#[test]
fn a_later_token_rotates_whoever_keeps_it_and_so_does_the_first_where_the_terms_do_not_allow_it() {
    let shop = Shop::open();
    let second = refreshed(&shop.auth, &login(&shop, reusable())).unwrap();
    shop.clock.advance(OVERLAP);
    let third = kept(&shop.auth, &second, 1).unwrap();
    assert_eq!((third.how, third.session.generation), (How::Rotated, 3));
    let plain = kept(&shop.auth, &login(&shop, terms()), 1).unwrap();
    assert_eq!((plain.how, plain.session.generation), (How::Rotated, 2));
}

#[test]
fn another_network_is_told_to_the_audit_and_known_from_then_on() {
    for terms in [reusable(), unrotated()] {
        let shop = Shop::open();
        let first = login(&shop, terms);
        for _ in 0..3 {
            kept(&shop.auth, &first, 1).unwrap();
            kept(&shop.auth, &first, 99).unwrap();
        }
        let told = shop.told(Action::RefreshShared);
        let [line] = told.as_slice() else { panic!("{told:?}") };
        assert_eq!((line.actor.session, line.actor.address), (Some(first.session.id), address(99)));
        assert_eq!(shop.session(first.session.id).rotated_from, address(99));
        shop.clock.advance(HOUR);
        for auth in [&shop.auth, &shop.process()] {
            refreshed_from_kept(auth, &first);
        }
        assert_eq!(shop.told(Action::RefreshShared).len(), 1, "it is known to be there now");
        kept(&shop.auth, &first, 1).unwrap();
        assert_eq!(shop.told(Action::RefreshShared).len(), 2, "and here again");
    }
}

fn refreshed_from_kept(auth: &Auth, granted: &Granted) {
    let again = kept(auth, granted, 99).unwrap();
    assert_eq!(again.how, How::Repeated);
}

#[test]
fn of_several_refresh_tokens_the_newest_of_each_session_counts() {
    let shop = Shop::open();
    let old = shop.user("cashier", None);
    // two that begin in one millisecond have no order
    shop.clock.advance(Duration::from_millis(1));
    let new = shop.user("manager", None);
    shop.clock.advance(OVERLAP);
    let newer = refreshed(&shop.auth, &new).unwrap();
    let sent = [token(&old), "garbage", token(&newer), token(&new), token(&newer), ""];
    assert_eq!(shop.auth.newest_refresh_tokens(&sent).unwrap(), [token(&newer), token(&old)]);
}

#[test]
fn whoever_holds_a_refresh_token_may_end_its_session() {
    let shop = Shop::open();
    let (first, other) = (shop.user("cashier", Some("P01")), shop.user("manager", None));
    let second = refreshed_from(&shop.auth, &first, address(1)).unwrap();
    let native = native();
    let market = Refreshing { tenant: Some(shop.market.id), ..refreshing(token(&first), &native) };
    assert_eq!(token_refused(shop.auth.end_by_refresh_token(&market, EndedWhy::Logout)), TokenRefusal::Foreign);
    let garbage = refreshing("garbage", &native);
    assert_eq!(token_refused(shop.auth.end_by_refresh_token(&garbage, EndedWhy::Logout)), TokenRefusal::Invalid);
    shop.clock.advance(Duration::from_hours(400));
    let holder = refreshing(token(&first), &native);
    for _ in 0..2 {
        shop.auth.end_by_refresh_token(&holder, EndedWhy::Logout).unwrap();
    }
    assert_eq!(shop.session(first.session.id).ended.map(|(_, why)| why), Some(EndedWhy::Logout));
    assert_eq!(token_refused(refreshed(&shop.auth, &second)), TokenRefusal::Over);
    assert_eq!(shop.session(other.session.id).ended, None);
    let told = shop.told(Action::Logout);
    let [line] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((line.actor.user, line.actor.session), (Some(shop.world.cashier.id), Some(first.session.id)));
    shop.auth.end_by_refresh_token(&refreshing(token(&other), &native), EndedWhy::Replaced).unwrap();
    assert_eq!(shop.session(other.session.id).ended.map(|(_, why)| why), Some(EndedWhy::Replaced));
    assert_eq!(shop.told(Action::SessionEnd).len(), 1);
}
