//! How long things last: no session and no token outlives its terms, whatever they are.

use std::time::Duration;

use tillgate_auth_core::{Granted, How, Login, Refresh, Terms, TokenRefusal};
use tillgate_domain::{EndedWhy, Instant, UserStatus};

use crate::shop::{
    HOUR, MINUTE, OVERLAP, Shop, by_user, native, refreshed, refreshing, status, terms, token, token_refused, used,
    with_password,
};

const MOMENT: Duration = Duration::from_millis(1);

fn login(terms: Terms) -> Login {
    Login { terms, ..by_user("cashier", Some("P01")) }
}

fn rotating(idle: Option<Duration>) -> Option<Refresh> {
    Some(Refresh { idle, overlap: Some(OVERLAP), first_reusable: false })
}

/// Refreshes every ten minutes until it is refused, and says when the session was over: from the first instant at which neither
/// of its tokens was good.
fn lived(shop: &Shop, mut granted: Granted) -> Instant {
    loop {
        let expiry = granted.session_expires_at.unwrap();
        assert!(granted.access_expires_at <= expiry, "an access token outlives its session");
        let now = shop.auth.time().at;
        if expiry.since(now) <= 10 * MINUTE {
            shop.clock.advance(expiry.since(now) - MOMENT);
            let last = refreshed(&shop.auth, &granted).unwrap();
            if last.session_expires_at == Some(expiry) {
                shop.clock.advance(MOMENT);
                assert_eq!(token_refused(refreshed(&shop.auth, &last)), TokenRefusal::Expired);
                // what is known to have been the end is told as such
                let told = if last.session.terms.is_fixed() { TokenRefusal::Over } else { TokenRefusal::Expired };
                assert_eq!(token_refused(used(&shop.auth, &last)), told);
                return expiry;
            }
            granted = last;
        } else {
            shop.clock.advance(10 * MINUTE);
            granted = refreshed(&shop.auth, &granted).unwrap();
        }
    }
}

#[test]
fn an_access_token_lasts_as_long_as_it_says() {
    let shop = Shop::open();
    let granted = shop.user("cashier", None);
    assert_eq!(granted.access_life, 15 * MINUTE);
    shop.clock.advance(15 * MINUTE - MOMENT);
    assert!(used(&shop.auth, &granted).is_ok());
    shop.clock.advance(MOMENT);
    assert_eq!(token_refused(used(&shop.auth, &granted)), TokenRefusal::Expired);
}

#[test]
fn a_session_that_nobody_refreshes_is_over_after_its_idle_time() {
    let shop = Shop::open();
    let mut granted = shop.user("cashier", None);
    for _ in 0..3 {
        shop.clock.advance(12 * HOUR - MOMENT);
        granted = refreshed(&shop.auth, &granted).unwrap();
    }
    shop.clock.advance(12 * HOUR);
    assert_eq!(token_refused(refreshed(&shop.auth, &granted)), TokenRefusal::Expired);
}

#[test]
fn a_session_ends_at_its_absolute_time_however_often_it_is_refreshed() {
    let shop = Shop::open();
    let terms = Terms { refresh: rotating(Some(HOUR)), absolute: Some(7 * HOUR), ..terms() };
    let granted = shop.auth.login(&login(terms)).unwrap();
    let expected = granted.session.created_at.after(7 * HOUR);
    assert_eq!(lived(&shop, granted), expected);
}

#[test]
fn a_session_ends_at_midnight_in_the_tenants_zone() {
    for (zone, who, password) in [
        ("UTC", "cashier", "the password of cashier"),
        ("Asia/Kuala_Lumpur", "cashier@market.example", "the market's password"),
    ] {
        let shop = Shop::open();
        let terms = Terms { refresh: rotating(None), midnight: true, ..terms() };
        let login = Login { terms, ..with_password(by_user(who, Some("P01")), password) };
        let granted = shop.auth.login(&login).unwrap();
        // It is nine in the morning in UTC, and five in the afternoon there.
        let expected = granted.session.created_at.after(if zone == "UTC" { 15 * HOUR } else { 7 * HOUR });
        assert_eq!(lived(&shop, granted), expected, "{zone}");
        let next = shop.auth.login(&login).unwrap();
        assert_eq!(next.session_expires_at, Some(expected.after(24 * HOUR)), "{zone}: the next day is whole");
    }
}

#[test]
fn no_access_token_lives_over_a_day_whatever_the_terms() {
    let shop = Shop::open();
    let terms = Terms { access: 1000 * HOUR, refresh: rotating(None), ..terms() };
    let granted = shop.auth.login(&login(terms)).unwrap();
    assert_eq!((granted.access_life, granted.session_expires_at), (24 * HOUR, None));
}

#[test]
fn terms_without_a_refresh_token_have_none() {
    let shop = Shop::open();
    let granted = shop.auth.login(&login(Terms { refresh: None, ..terms() })).unwrap();
    assert!(granted.refresh_token.is_none());
    assert_eq!(granted.session_expires_at, Some(granted.session.created_at.after(15 * MINUTE)));
    shop.clock.advance(15 * MINUTE - MOMENT);
    assert!(used(&shop.auth, &granted).is_ok());
    shop.clock.advance(MOMENT);
    assert!(used(&shop.auth, &granted).is_err());
}

#[test]
fn a_permanent_token_is_never_rotated_and_never_over_until_it_is_ended() {
    let shop = Shop::open();
    let terms = Terms { refresh: Some(Refresh { idle: None, overlap: None, first_reusable: false }), ..terms() };
    let granted = shop.auth.login(&login(terms)).unwrap();
    assert_eq!(granted.session_expires_at, None);
    for _ in 0..6 {
        shop.clock.advance(400 * 24 * HOUR);
        let again = refreshed(&shop.auth, &granted).unwrap();
        assert_eq!((again.how, token(&again)), (How::Repeated, token(&granted)));
        assert!(used(&shop.auth, &again).is_ok());
    }
    assert_eq!(shop.session(granted.session.id), granted.session, "nothing was written");
    shop.auth.end_session(granted.session.id).unwrap();
    assert_eq!(token_refused(refreshed(&shop.auth, &granted)), TokenRefusal::Over);
}

#[test]
fn terms_are_those_of_the_login() {
    let shop = Shop::open();
    let short = shop.auth.login(&login(Terms { refresh: rotating(Some(HOUR)), ..terms() })).unwrap();
    let long = shop.user("manager", Some("P02"));
    shop.clock.advance(2 * HOUR);
    assert_eq!(token_refused(shop.auth.refresh(&refreshing(token(&short), &native()))), TokenRefusal::Expired);
    assert!(refreshed(&shop.auth, &long).is_ok());
}

#[test]
fn a_refresh_within_the_overlap_lengthens_no_session() {
    let shop = Shop::open();
    let granted = shop.auth.login(&login(Terms { refresh: rotating(Some(HOUR)), ..terms() })).unwrap();
    let first = refreshed(&shop.auth, &granted).unwrap();
    shop.clock.advance(OVERLAP / 2);
    let repeated = refreshed(&shop.auth, &first).unwrap();
    assert_eq!(repeated.session_expires_at, first.session_expires_at);
    assert!(repeated.access_expires_at <= repeated.session_expires_at.unwrap());
}

#[test]
fn why_a_session_ended_is_kept() {
    let shop = Shop::open();
    let granted = shop.user("cashier", None);
    status(shop.office(), &shop.world, shop.world.cashier.id, UserStatus::Suspended);
    assert_eq!(shop.session(granted.session.id).ended.map(|(_, why)| why), Some(EndedWhy::Suspended));
}
