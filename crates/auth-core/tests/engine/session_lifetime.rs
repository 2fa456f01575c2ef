//! Lifetimes: no session and no token outlives its terms, whatever they are.

use std::time::Duration;

use tillgate_auth_core::{GrantKind, IssuedTokens, LoginRequest, RefreshTerms, Terms, TokenDenied};
use tillgate_domain::{EndReason, Instant, UserStatus};

use crate::fixture::{
    EngineFixture, HOUR, MINUTE, OVERLAP, authenticate, by_user, native, refresh, refreshing, status, terms, token,
    token_refused, with_password,
};

const MOMENT: Duration = Duration::from_millis(1);

fn login(terms: Terms) -> LoginRequest {
    LoginRequest { terms, ..by_user("cashier", Some("P01")) }
}

fn rotating(idle: Option<Duration>) -> Option<RefreshTerms> {
    Some(RefreshTerms { idle, overlap: Some(OVERLAP), first_reusable: false })
}

/// Refreshes every ten minutes until that is denied. Returns when the session ended: the first
/// instant at which neither of its tokens was valid.
fn refresh_until_ended(fixture: &EngineFixture, mut granted: IssuedTokens) -> Instant {
    loop {
        let expiry = granted.session_expires_at.unwrap();
        assert!(granted.access_expires_at <= expiry, "an access token outlives its session");
        let now = fixture.auth.time().at;
        if expiry.duration_since(now) <= 10 * MINUTE {
            fixture.clock.advance(expiry.duration_since(now) - MOMENT);
            let last = refresh(&fixture.auth, &granted).unwrap();
            if last.session_expires_at == Some(expiry) {
                fixture.clock.advance(MOMENT);
                assert_eq!(token_refused(refresh(&fixture.auth, &last)), TokenDenied::Expired);
                // A known end is reported as such.
                let found =
                    if last.session.terms.has_fixed_end() { TokenDenied::SessionOver } else { TokenDenied::Expired };
                assert_eq!(token_refused(authenticate(&fixture.auth, &last)), found);
                return expiry;
            }
            granted = last;
        } else {
            fixture.clock.advance(10 * MINUTE);
            granted = refresh(&fixture.auth, &granted).unwrap();
        }
    }
}

#[test]
fn access_token_lives_as_stated() {
    let fixture = EngineFixture::open();
    let granted = fixture.user("cashier", None);
    assert_eq!(granted.access_expires_in, 15 * MINUTE);
    fixture.clock.advance(15 * MINUTE - MOMENT);
    assert!(authenticate(&fixture.auth, &granted).is_ok());
    fixture.clock.advance(MOMENT);
    assert_eq!(token_refused(authenticate(&fixture.auth, &granted)), TokenDenied::Expired);
}

#[test]
fn unrefreshed_session_ends_after_idle_time() {
    let fixture = EngineFixture::open();
    let mut granted = fixture.user("cashier", None);
    for _ in 0..3 {
        fixture.clock.advance(12 * HOUR - MOMENT);
        granted = refresh(&fixture.auth, &granted).unwrap();
    }
    fixture.clock.advance(12 * HOUR);
    assert_eq!(token_refused(refresh(&fixture.auth, &granted)), TokenDenied::Expired);
}

#[test]
fn session_ends_at_absolute_limit_despite_refreshes() {
    let fixture = EngineFixture::open();
    let terms = Terms { refresh: rotating(Some(HOUR)), absolute: Some(7 * HOUR), ..terms() };
    let granted = fixture.auth.login(&login(terms)).unwrap();
    let expected = granted.session.created_at.saturating_add(7 * HOUR);
    assert_eq!(refresh_until_ended(&fixture, granted), expected);
}

#[test]
fn session_ends_at_midnight_of_tenant_zone() {
    for (zone, who, password) in [
        ("UTC", "cashier", "the password of cashier"),
        ("Asia/Kuala_Lumpur", "cashier@market.example", "the market's password"),
    ] {
        let fixture = EngineFixture::open();
        let terms = Terms { refresh: rotating(None), midnight: true, ..terms() };
        let login = LoginRequest { terms, ..with_password(by_user(who, Some("P01")), password) };
        let granted = fixture.auth.login(&login).unwrap();
        // It is 09:00 in UTC, and 17:00 there.
        let expected = granted.session.created_at.saturating_add(if zone == "UTC" { 15 * HOUR } else { 7 * HOUR });
        assert_eq!(refresh_until_ended(&fixture, granted), expected, "{zone}");
        let next = fixture.auth.login(&login).unwrap();
        assert_eq!(next.session_expires_at, Some(expected.saturating_add(24 * HOUR)), "{zone}: the next day is whole");
    }
}

#[test]
fn access_token_lives_one_day_at_most() {
    let fixture = EngineFixture::open();
    let terms = Terms { access: 1000 * HOUR, refresh: rotating(None), ..terms() };
    let granted = fixture.auth.login(&login(terms)).unwrap();
    assert_eq!((granted.access_expires_in, granted.session_expires_at), (24 * HOUR, None));
}

#[test]
fn terms_without_a_refresh_token_have_none() {
    let fixture = EngineFixture::open();
    let granted = fixture.auth.login(&login(Terms { refresh: None, ..terms() })).unwrap();
    assert!(granted.refresh_token.is_none());
    assert_eq!(granted.session_expires_at, Some(granted.session.created_at.saturating_add(15 * MINUTE)));
    fixture.clock.advance(15 * MINUTE - MOMENT);
    assert!(authenticate(&fixture.auth, &granted).is_ok());
    fixture.clock.advance(MOMENT);
    assert!(authenticate(&fixture.auth, &granted).is_err());
}

#[test]
fn permanent_token_is_never_rotated_and_never_expires() {
    let fixture = EngineFixture::open();
    let terms = Terms { refresh: Some(RefreshTerms { idle: None, overlap: None, first_reusable: false }), ..terms() };
    let granted = fixture.auth.login(&login(terms)).unwrap();
    assert_eq!(granted.session_expires_at, None);
    for _ in 0..6 {
        fixture.clock.advance(400 * 24 * HOUR);
        let again = refresh(&fixture.auth, &granted).unwrap();
        assert_eq!((again.kind, token(&again)), (GrantKind::Repeated, token(&granted)));
        assert!(authenticate(&fixture.auth, &again).is_ok());
    }
    assert_eq!(fixture.session(granted.session.id), granted.session, "nothing was written");
    fixture.auth.end_session(granted.session.id).unwrap();
    assert_eq!(token_refused(refresh(&fixture.auth, &granted)), TokenDenied::SessionOver);
}

#[test]
fn session_keeps_terms_of_its_login() {
    let fixture = EngineFixture::open();
    let short = fixture.auth.login(&login(Terms { refresh: rotating(Some(HOUR)), ..terms() })).unwrap();
    let long = fixture.user("manager", Some("P02"));
    fixture.clock.advance(2 * HOUR);
    assert_eq!(token_refused(fixture.auth.refresh(&refreshing(token(&short), &native()))), TokenDenied::Expired);
    assert!(refresh(&fixture.auth, &long).is_ok());
}

#[test]
fn refresh_within_overlap_does_not_extend_session() {
    let fixture = EngineFixture::open();
    let granted = fixture.auth.login(&login(Terms { refresh: rotating(Some(HOUR)), ..terms() })).unwrap();
    let first = refresh(&fixture.auth, &granted).unwrap();
    fixture.clock.advance(OVERLAP / 2);
    let repeated = refresh(&fixture.auth, &first).unwrap();
    assert_eq!(repeated.session_expires_at, first.session_expires_at);
    assert!(repeated.access_expires_at <= repeated.session_expires_at.unwrap());
}

#[test]
fn end_reason_is_stored() {
    let fixture = EngineFixture::open();
    let granted = fixture.user("cashier", None);
    status(fixture.office_store(), &fixture.records, fixture.records.user("cashier").id, UserStatus::Suspended);
    assert_eq!(fixture.session(granted.session.id).ended.map(|(_, why)| why), Some(EndReason::Suspended));
}
