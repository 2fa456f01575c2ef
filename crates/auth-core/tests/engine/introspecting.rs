//! What a program is told of tokens: what would be taken, decided as everywhere, from memory wherever that holds it.

use std::sync::Arc;

use tillgate_auth_core::{Auth, Caller, Error, Introspected, Login, Refresh, Refusal, Terms, TokenUse};
use tillgate_domain::StoreError;
use tillgate_testkit::Failing;
use tillgate_testkit::failing::Failure;

use crate::shop::{HOUR, MINUTE, OVERLAP, Shop, by_user, refreshed, terms, token, unavailable, used};

/// Somebody with every right; what they ask by makes no difference here.
fn asker(shop: &Shop, auth: &Auth) -> Caller {
    used(auth, &shop.user("admin", None)).unwrap()
}

fn told(shop: &Shop, token: &str) -> Option<Introspected> {
    shop.auth.introspect(&asker(shop, &shop.auth), token).unwrap()
}

#[test]
fn it_takes_a_right_whatever_the_token() {
    let shop = Shop::open();
    let manager = used(&shop.auth, &shop.user("manager", None)).unwrap();
    let own = shop.user("manager", None);
    for token in ["x", own.access_token.expose(), token(&own)] {
        for answer in [shop.auth.introspect(&manager, token), shop.auth.recall(&manager, token).unwrap()] {
            assert!(matches!(answer, Err(Error::Refused(Refusal::Missing(_)))), "{token}: {answer:?}");
        }
    }
    let cashier = used(&shop.auth, &shop.user("cashier", None)).unwrap();
    assert!(matches!(shop.auth.revoke(&cashier, "x"), Err(Error::Refused(Refusal::Missing(_)))));
    assert_eq!(shop.auth.revoke(&manager, "x"), Ok(false));
}

#[test]
fn memory_answers_for_access_tokens_until_something_of_theirs_changes() {
    let shop = Shop::open();
    let (asker, granted) = (asker(&shop, &shop.auth), shop.user("cashier", Some("P01")));
    let access = granted.access_token.expose();
    let found = shop.auth.recall(&asker, access).unwrap().unwrap().unwrap();
    assert_eq!((found.session, found.token_use), (granted.session.id, TokenUse::Access));
    assert_eq!(shop.auth.recall(&asker, "garbage").unwrap(), Ok(None));
    assert!(shop.auth.recall(&asker, token(&granted)).is_none(), "the store knows which refresh token is the newest");
    shop.assign(shop.world.cashier.id, &[]);
    assert!(shop.auth.recall(&asker, access).is_none(), "the rights of now have to be read");
    assert!(shop.auth.introspect(&asker, access).unwrap().is_some());
    assert!(shop.auth.recall(&asker, access).is_some());
    shop.auth.logout(&used(&shop.auth, &granted).unwrap()).unwrap();
    assert_eq!(shop.auth.recall(&asker, access).unwrap(), Ok(None));
}

#[test]
fn a_store_that_fails_is_no_word_against_a_token() {
    let shop = Shop::open();
    let failing = Arc::new(Failing::over(Arc::new(shop.memory.process())));
    let auth = shop.process_over(failing.clone());
    let (asker, granted) = (asker(&shop, &auth), shop.user("cashier", None));
    failing.fail(Failure::at_once(StoreError::Unavailable("the disk is full".into())));
    assert!(unavailable(auth.introspect(&asker, token(&granted))));
    assert!(unavailable(auth.introspect(&asker, granted.access_token.expose())), "whose profile nobody has read");
}

#[test]
fn every_process_says_the_same() {
    let shop = Shop::open();
    let other = shop.process();
    let (asker, granted) = (asker(&shop, &other), shop.user("cashier", None));
    let moved = {
        shop.clock.advance(OVERLAP);
        refreshed(&shop.auth, &granted).unwrap()
    };
    for text in [token(&granted), token(&moved), moved.access_token.expose()] {
        assert!(other.introspect(&asker, text).unwrap().is_some());
    }
    assert_eq!(other.revoke(&asker, token(&granted)), Ok(true));
    shop.auth.follow().unwrap();
    assert!(used(&shop.auth, &moved).is_err(), "ended in one process, over in each");
    assert_eq!(shop.auth.introspect(&asker, token(&moved)), Ok(None));
}

#[test]
fn to_be_told_of_a_token_is_a_use_of_it_and_of_a_refresh_token_none() {
    let shop = Shop::open();
    let granted = shop.user("cashier", None);
    shop.clock.advance(OVERLAP);
    let moved = refreshed(&shop.auth, &granted).unwrap();
    assert!(told(&shop, token(&moved)).is_some());
    shop.clock.advance(2 * OVERLAP);
    assert!(told(&shop, token(&granted)).is_some(), "its successor has not been used");
    assert!(told(&shop, moved.access_token.expose()).is_some());
    assert!(told(&shop, token(&granted)).is_none(), "its successor has been used elsewhere");
    assert!(told(&shop, token(&moved)).is_some(), "and that it was asked about ended nothing");
}

#[test]
fn on_a_doubtful_clock_no_refresh_token_is_said_to_have_expired() {
    let shop = Shop::open();
    let refresh = Some(Refresh { idle: Some(8 * MINUTE), overlap: Some(OVERLAP), first_reusable: false });
    let short = Login { terms: Terms { access: 5 * MINUTE, refresh, ..terms() }, ..by_user("cashier", None) };
    let granted = shop.auth.login(&short).unwrap();
    let asker = asker(&shop, &shop.auth);
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
fn what_a_lost_key_proved_is_not_taken() {
    let shop = Shop::open();
    let (asker, granted) = (asker(&shop, &shop.auth), shop.user("cashier", None));
    for key in shop.auth.keys().unwrap() {
        shop.auth.revoke_key(key.id).unwrap();
    }
    for text in [granted.access_token.expose(), token(&granted)] {
        assert_eq!(shop.auth.introspect(&asker, text), Ok(None));
        assert_eq!(shop.auth.revoke(&asker, text), Ok(false));
    }
}
