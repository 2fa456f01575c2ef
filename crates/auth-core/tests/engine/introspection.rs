//! Introspection: a token is active exactly if it would be accepted, from memory if possible.

use std::sync::Arc;

use tillgate_auth_core::{Auth, AuthDenied, Caller, Error, Introspection, LoginRequest, RefreshTerms, Terms, TokenUse};
use tillgate_domain::StoreError;
use tillgate_testkit::FailingStore;
use tillgate_testkit::failing_store::PlannedFailure;

use crate::fixture::{EngineFixture, HOUR, MINUTE, OVERLAP, authenticate, by_user, refresh, terms, token, unavailable};

/// A caller with every right; its credentials make no difference here.
fn introspecting_caller(fixture: &EngineFixture, auth: &Auth) -> Caller {
    authenticate(auth, &fixture.user("admin", None)).unwrap()
}

fn introspect(fixture: &EngineFixture, token: &str) -> Option<Introspection> {
    fixture.auth.introspect(&introspecting_caller(fixture, &fixture.auth), token).unwrap()
}

#[test]
fn introspection_requires_right_for_every_token() {
    let fixture = EngineFixture::open();
    let manager = authenticate(&fixture.auth, &fixture.user("manager", None)).unwrap();
    let own = fixture.user("manager", None);
    for token in ["x", own.access_token.expose(), token(&own)] {
        for result in
            [fixture.auth.introspect(&manager, token), fixture.auth.introspect_cached(&manager, token).unwrap()]
        {
            assert!(matches!(result, Err(Error::Denied(AuthDenied::RightMissing(_)))), "{token}: {result:?}");
        }
    }
    let cashier = authenticate(&fixture.auth, &fixture.user("cashier", None)).unwrap();
    assert!(matches!(fixture.auth.revoke_token(&cashier, "x"), Err(Error::Denied(AuthDenied::RightMissing(_)))));
    assert_eq!(fixture.auth.revoke_token(&manager, "x"), Ok(false));
}

#[test]
fn access_token_is_introspected_from_cache_until_invalidated() {
    let fixture = EngineFixture::open();
    let (asker, granted) = (introspecting_caller(&fixture, &fixture.auth), fixture.user("cashier", Some("P01")));
    let access = granted.access_token.expose();
    let found = fixture.auth.introspect_cached(&asker, access).unwrap().unwrap().unwrap();
    assert_eq!((found.session, found.token_use), (granted.session.id, TokenUse::Access));
    assert_eq!(fixture.auth.introspect_cached(&asker, "garbage").unwrap(), Ok(None));
    assert!(
        fixture.auth.introspect_cached(&asker, token(&granted)).is_none(),
        "the store knows which refresh token is the newest"
    );
    fixture.assign(fixture.records.user("cashier").id, &[]);
    assert!(fixture.auth.introspect_cached(&asker, access).is_none(), "the rights of now have to be read");
    assert!(fixture.auth.introspect(&asker, access).unwrap().is_some());
    assert!(fixture.auth.introspect_cached(&asker, access).is_some());
    fixture.auth.logout(&authenticate(&fixture.auth, &granted).unwrap()).unwrap();
    assert_eq!(fixture.auth.introspect_cached(&asker, access).unwrap(), Ok(None));
}

#[test]
fn store_failure_is_not_reported_as_inactive_token() {
    let fixture = EngineFixture::open();
    let failing = Arc::new(FailingStore::new(Arc::new(fixture.store.share_with_process())));
    let auth = fixture.process_over(failing.clone());
    let (asker, granted) = (introspecting_caller(&fixture, &auth), fixture.user("cashier", None));
    failing.plan_failure(PlannedFailure::at_once(StoreError::Unavailable("the disk is full".into())));
    assert!(unavailable(auth.introspect(&asker, token(&granted))));
    assert!(unavailable(auth.introspect(&asker, granted.access_token.expose())), "whose profile nobody has read");
}

#[test]
fn introspection_agrees_in_every_process() {
    let fixture = EngineFixture::open();
    let other = fixture.process();
    let (asker, granted) = (introspecting_caller(&fixture, &other), fixture.user("cashier", None));
    let moved = {
        fixture.clock.advance(OVERLAP);
        refresh(&fixture.auth, &granted).unwrap()
    };
    for text in [token(&granted), token(&moved), moved.access_token.expose()] {
        assert!(other.introspect(&asker, text).unwrap().is_some());
    }
    assert_eq!(other.revoke_token(&asker, token(&granted)), Ok(true));
    fixture.auth.poll_feed().unwrap();
    assert!(authenticate(&fixture.auth, &moved).is_err(), "ended in one process, over in each");
    assert_eq!(fixture.auth.introspect(&asker, token(&moved)), Ok(None));
}

#[test]
fn introspection_counts_as_use_of_access_token_only() {
    let fixture = EngineFixture::open();
    let granted = fixture.user("cashier", None);
    fixture.clock.advance(OVERLAP);
    let moved = refresh(&fixture.auth, &granted).unwrap();
    assert!(introspect(&fixture, token(&moved)).is_some());
    fixture.clock.advance(2 * OVERLAP);
    assert!(introspect(&fixture, token(&granted)).is_some(), "its successor has not been used");
    assert!(introspect(&fixture, moved.access_token.expose()).is_some());
    assert!(introspect(&fixture, token(&granted)).is_none(), "its successor has been used elsewhere");
    assert!(introspect(&fixture, token(&moved)).is_some(), "and that it was asked about ended nothing");
}

#[test]
fn refresh_token_is_not_expired_while_clock_is_in_doubt() {
    let fixture = EngineFixture::open();
    let refresh = Some(RefreshTerms { idle: Some(8 * MINUTE), overlap: Some(OVERLAP), first_reusable: false });
    let short = LoginRequest { terms: Terms { access: 5 * MINUTE, refresh, ..terms() }, ..by_user("cashier", None) };
    let granted = fixture.auth.login(&short).unwrap();
    let asker = introspecting_caller(&fixture, &fixture.auth);
    fixture.clock.step_forward(HOUR);
    assert!(fixture.auth.time().in_doubt);
    fixture.clock.advance(9 * MINUTE);
    assert!(fixture.auth.time().in_doubt);
    assert!(unavailable(fixture.auth.introspect(&asker, token(&granted))));
    assert_eq!(fixture.auth.introspect(&asker, granted.access_token.expose()), Ok(None), "its client is to refresh");
    fixture.clock.advance(MINUTE);
    assert_eq!(fixture.auth.introspect(&asker, token(&granted)), Ok(None), "the clock has stood for ten minutes");
}

#[test]
fn token_of_revoked_key_is_inactive() {
    let fixture = EngineFixture::open();
    let (asker, granted) = (introspecting_caller(&fixture, &fixture.auth), fixture.user("cashier", None));
    for key in fixture.auth.list_keys().unwrap() {
        fixture.auth.revoke_key(key.id).unwrap();
    }
    for text in [granted.access_token.expose(), token(&granted)] {
        assert_eq!(fixture.auth.introspect(&asker, text), Ok(None));
        assert_eq!(fixture.auth.revoke_token(&asker, text), Ok(false));
    }
}
