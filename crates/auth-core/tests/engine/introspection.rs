//! Introspection: a token is active exactly if it would be accepted, from memory if possible.

use std::sync::Arc;

use tillgate_auth_core::{Auth, AuthDenied, Caller, Error, Introspection, LoginRequest, RefreshTerms, Terms, TokenUse};
use tillgate_domain::StoreError;
use tillgate_testkit::FailingStore;
use tillgate_testkit::failing_store::PlannedFailure;

use crate::shop::{HOUR, MINUTE, OVERLAP, Shop, authenticate, by_user, refresh, terms, token, unavailable};

/// A caller with every right; its credentials make no difference here.
fn introspecting_caller(shop: &Shop, auth: &Auth) -> Caller {
    authenticate(auth, &shop.user("admin", None)).unwrap()
}

fn introspect(shop: &Shop, token: &str) -> Option<Introspection> {
    shop.auth.introspect(&introspecting_caller(shop, &shop.auth), token).unwrap()
}

#[test]
fn introspection_requires_right_for_every_token() {
    let shop = Shop::open();
    let manager = authenticate(&shop.auth, &shop.user("manager", None)).unwrap();
    let own = shop.user("manager", None);
    for token in ["x", own.access_token.expose(), token(&own)] {
        for answer in [shop.auth.introspect(&manager, token), shop.auth.introspect_cached(&manager, token).unwrap()] {
            assert!(matches!(answer, Err(Error::Denied(AuthDenied::RightMissing(_)))), "{token}: {answer:?}");
        }
    }
    let cashier = authenticate(&shop.auth, &shop.user("cashier", None)).unwrap();
    assert!(matches!(shop.auth.revoke_token(&cashier, "x"), Err(Error::Denied(AuthDenied::RightMissing(_)))));
    assert_eq!(shop.auth.revoke_token(&manager, "x"), Ok(false));
}

#[test]
fn access_token_is_introspected_from_cache_until_invalidated() {
    let shop = Shop::open();
    let (asker, granted) = (introspecting_caller(&shop, &shop.auth), shop.user("cashier", Some("P01")));
    let access = granted.access_token.expose();
    let found = shop.auth.introspect_cached(&asker, access).unwrap().unwrap().unwrap();
    assert_eq!((found.session, found.token_use), (granted.session.id, TokenUse::Access));
    assert_eq!(shop.auth.introspect_cached(&asker, "garbage").unwrap(), Ok(None));
    assert!(
        shop.auth.introspect_cached(&asker, token(&granted)).is_none(),
        "the store knows which refresh token is the newest"
    );
    shop.assign(shop.world.cashier.id, &[]);
    assert!(shop.auth.introspect_cached(&asker, access).is_none(), "the rights of now have to be read");
    assert!(shop.auth.introspect(&asker, access).unwrap().is_some());
    assert!(shop.auth.introspect_cached(&asker, access).is_some());
    shop.auth.logout(&authenticate(&shop.auth, &granted).unwrap()).unwrap();
    assert_eq!(shop.auth.introspect_cached(&asker, access).unwrap(), Ok(None));
}

#[test]
fn store_failure_is_not_reported_as_inactive_token() {
    let shop = Shop::open();
    let failing = Arc::new(FailingStore::new(Arc::new(shop.memory.share_with_process())));
    let auth = shop.process_over(failing.clone());
    let (asker, granted) = (introspecting_caller(&shop, &auth), shop.user("cashier", None));
    failing.plan_failure(PlannedFailure::at_once(StoreError::Unavailable("the disk is full".into())));
    assert!(unavailable(auth.introspect(&asker, token(&granted))));
    assert!(unavailable(auth.introspect(&asker, granted.access_token.expose())), "whose profile nobody has read");
}

#[test]
fn introspection_agrees_in_every_process() {
    let shop = Shop::open();
    let other = shop.process();
    let (asker, granted) = (introspecting_caller(&shop, &other), shop.user("cashier", None));
    let moved = {
        shop.clock.advance(OVERLAP);
        refresh(&shop.auth, &granted).unwrap()
    };
    for text in [token(&granted), token(&moved), moved.access_token.expose()] {
        assert!(other.introspect(&asker, text).unwrap().is_some());
    }
    assert_eq!(other.revoke_token(&asker, token(&granted)), Ok(true));
    shop.auth.poll_feed().unwrap();
    assert!(authenticate(&shop.auth, &moved).is_err(), "ended in one process, over in each");
    assert_eq!(shop.auth.introspect(&asker, token(&moved)), Ok(None));
}

#[test]
fn introspection_counts_as_use_of_access_token_only() {
    let shop = Shop::open();
    let granted = shop.user("cashier", None);
    shop.clock.advance(OVERLAP);
    let moved = refresh(&shop.auth, &granted).unwrap();
    assert!(introspect(&shop, token(&moved)).is_some());
    shop.clock.advance(2 * OVERLAP);
    assert!(introspect(&shop, token(&granted)).is_some(), "its successor has not been used");
    assert!(introspect(&shop, moved.access_token.expose()).is_some());
    assert!(introspect(&shop, token(&granted)).is_none(), "its successor has been used elsewhere");
    assert!(introspect(&shop, token(&moved)).is_some(), "and that it was asked about ended nothing");
}

#[test]
fn refresh_token_is_not_expired_while_clock_is_in_doubt() {
    let shop = Shop::open();
    let refresh = Some(RefreshTerms { idle: Some(8 * MINUTE), overlap: Some(OVERLAP), first_reusable: false });
    let short = LoginRequest { terms: Terms { access: 5 * MINUTE, refresh, ..terms() }, ..by_user("cashier", None) };
    let granted = shop.auth.login(&short).unwrap();
    let asker = introspecting_caller(&shop, &shop.auth);
    shop.clock.step_forward(HOUR);
    assert!(shop.auth.time().in_doubt);
    shop.clock.advance(9 * MINUTE);
    assert!(shop.auth.time().in_doubt);
    assert!(unavailable(shop.auth.introspect(&asker, token(&granted))));
    assert_eq!(shop.auth.introspect(&asker, granted.access_token.expose()), Ok(None), "its client is to refresh");
    shop.clock.advance(MINUTE);
    assert_eq!(shop.auth.introspect(&asker, token(&granted)), Ok(None), "the clock has stood for ten minutes");
}

#[test]
fn token_of_revoked_key_is_inactive() {
    let shop = Shop::open();
    let (asker, granted) = (introspecting_caller(&shop, &shop.auth), shop.user("cashier", None));
    for key in shop.auth.list_keys().unwrap() {
        shop.auth.revoke_key(key.id).unwrap();
    }
    for text in [granted.access_token.expose(), token(&granted)] {
        assert_eq!(shop.auth.introspect(&asker, text), Ok(None));
        assert_eq!(shop.auth.revoke_token(&asker, text), Ok(false));
    }
}
