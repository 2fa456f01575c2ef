//! Exchanged access tokens, over several processes: each expires some time after the first use of a
//! successor.

use std::time::Duration;

use tillgate_auth_core::{Auth, Error, GrantKind, IssuedTokens, LoginRequest, Terms, TokenDenied};
use tillgate_domain::Scope;

use crate::shop::{HOUR, MINUTE, OVERLAP, Shop, authenticate, by_user, native, presented, terms, token_refused};

const MOMENT: Duration = Duration::from_millis(1);

fn exchangeable() -> Terms {
    Terms { access: 24 * HOUR, refresh: None, absolute: Some(72 * HOUR), exchange_overlap: Some(OVERLAP), ..terms() }
}

fn login(shop: &Shop, terms: Terms) -> IssuedTokens {
    shop.auth.login(&LoginRequest { terms, ..by_user("cashier", None) }).unwrap()
}

fn exchange(auth: &Auth, granted: &IssuedTokens) -> Result<IssuedTokens, Error> {
    auth.exchange(&presented(granted.access_token.expose(), &native()))
}

#[test]
fn used_successor_supersedes_token_in_every_process() {
    let shop = Shop::open();
    let other = shop.process();
    let first = login(&shop, exchangeable());
    assert!(authenticate(&other, &first).is_ok(), "the other process knows it");
    let second = exchange(&shop.auth, &first).unwrap();
    assert_eq!((second.kind, second.session.generation), (GrantKind::Exchanged, 2));
    shop.clock.advance(HOUR);
    assert!(authenticate(&other, &first).is_ok(), "its successor was not used");
    authenticate(&shop.auth, &second).unwrap();
    other.poll_feed().unwrap();
    shop.clock.advance(OVERLAP - MOMENT);
    for auth in [&shop.auth, &other, &shop.process()] {
        assert!(authenticate(auth, &first).is_ok());
    }
    shop.clock.advance(MOMENT);
    for auth in [&shop.auth, &other, &shop.process()] {
        assert_eq!(token_refused(authenticate(auth, &first)), TokenDenied::Expired);
        assert_eq!(token_refused(exchange(auth, &first)), TokenDenied::Expired);
        assert!(authenticate(auth, &second).is_ok(), "the session lives");
    }
}

#[test]
fn lost_exchange_response_is_repeated() {
    let shop = Shop::open();
    let first = login(&shop, exchangeable());
    let (lost, found) = (exchange(&shop.auth, &first).unwrap(), exchange(&shop.process(), &first).unwrap());
    assert_eq!((lost.session.generation, found.session.generation), (2, 2));
    authenticate(&shop.auth, &found).unwrap();
    shop.clock.advance(OVERLAP);
    assert!(authenticate(&shop.auth, &lost).is_ok(), "neither followed the other");
    let third = exchange(&shop.auth, &lost).unwrap();
    assert_eq!(third.session.generation, 3);
    assert!(authenticate(&shop.auth, &found).is_ok(), "until the third is used");
}

#[test]
fn only_first_use_of_token_is_written() {
    let shop = Shop::open();
    let second = exchange(&shop.auth, &login(&shop, exchangeable())).unwrap();
    authenticate(&shop.auth, &second).unwrap();
    authenticate(&shop.auth, &second).unwrap();
    shop.memory.set_instance_state(tillgate_auth_core::ports::InstanceState::Draining);
    for auth in [&shop.auth, &shop.process()] {
        assert!(authenticate(auth, &second).is_ok(), "it is asked from memory, or read");
    }
}

#[test]
fn session_without_exchange_overlap_keeps_generation() {
    let shop = Shop::open();
    let first = login(&shop, Terms { exchange_overlap: None, ..exchangeable() });
    let second = exchange(&shop.auth, &first).unwrap();
    assert_eq!(second.session.generation, 1);
    authenticate(&shop.auth, &second).unwrap();
    shop.clock.advance(23 * HOUR);
    assert!(authenticate(&shop.auth, &first).is_ok());
}

#[test]
fn rolled_back_store_issues_no_token_twice() {
    let shop = Shop::open();
    let first = login(&shop, exchangeable());
    let third = exchange(&shop.auth, &exchange(&shop.auth, &first).unwrap()).unwrap();
    let back = tillgate_auth_core::ports::Rotation {
        generation: 1,
        key: first.session.key,
        previous_key: first.session.key,
        at: first.session.created_at,
        expires_at: first.session.expires_at,
        from: None,
    };
    let id = first.session.id;
    assert!(
        tillgate_domain::StoreExt::write(shop.auth_store(), "test", |tx| tx.sessions().rotate(id, 3, &back)).unwrap()
    );
    assert_eq!(exchange(&shop.auth, &third).unwrap().session.generation, 4);
    shop.clock.advance(MINUTE);
    let scope = Scope::User(shop.world.cashier.id);
    tillgate_domain::StoreExt::write(shop.auth_store(), "test", |tx| {
        tx.revocations().invalidate(scope, shop.auth.time().at)
    })
    .unwrap();
    assert!(authenticate(&shop.auth, &third).is_ok());
}
