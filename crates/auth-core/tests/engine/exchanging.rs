//! Access tokens that are exchanged, over several processes: each ends a while after one that followed it was first used.

use std::time::Duration;

use tillgate_auth_core::{Auth, Error, Granted, How, Login, Terms, TokenRefusal};
use tillgate_domain::Scope;

use crate::shop::{HOUR, MINUTE, OVERLAP, Shop, by_user, native, presented, terms, token_refused, used};

const MOMENT: Duration = Duration::from_millis(1);

fn exchangeable() -> Terms {
    Terms { access: 24 * HOUR, refresh: None, absolute: Some(72 * HOUR), exchange_overlap: Some(OVERLAP), ..terms() }
}

fn login(shop: &Shop, terms: Terms) -> Granted {
    shop.auth.login(&Login { terms, ..by_user("cashier", None) }).unwrap()
}

fn exchanged(auth: &Auth, granted: &Granted) -> Result<Granted, Error> {
    auth.exchange(&presented(granted.access_token.expose(), &native()))
}

#[test]
fn a_successor_that_is_used_in_one_process_ends_the_token_before_it_in_every_one() {
    let shop = Shop::open();
    let other = shop.process();
    let first = login(&shop, exchangeable());
    assert!(used(&other, &first).is_ok(), "the other process knows it");
    let second = exchanged(&shop.auth, &first).unwrap();
    assert_eq!((second.how, second.session.generation), (How::Exchanged, 2));
    shop.clock.advance(HOUR);
    assert!(used(&other, &first).is_ok(), "its successor was not used");
    used(&shop.auth, &second).unwrap();
    other.follow().unwrap();
    shop.clock.advance(OVERLAP - MOMENT);
    for auth in [&shop.auth, &other, &shop.process()] {
        assert!(used(auth, &first).is_ok());
    }
    shop.clock.advance(MOMENT);
    for auth in [&shop.auth, &other, &shop.process()] {
        assert_eq!(token_refused(used(auth, &first)), TokenRefusal::Expired);
        assert_eq!(token_refused(exchanged(auth, &first)), TokenRefusal::Expired);
        assert!(used(auth, &second).is_ok(), "the session lives");
    }
}

#[test]
fn an_answer_that_is_lost_is_given_again() {
    let shop = Shop::open();
    let first = login(&shop, exchangeable());
    let (lost, found) = (exchanged(&shop.auth, &first).unwrap(), exchanged(&shop.process(), &first).unwrap());
    assert_eq!((lost.session.generation, found.session.generation), (2, 2));
    used(&shop.auth, &found).unwrap();
    shop.clock.advance(OVERLAP);
    assert!(used(&shop.auth, &lost).is_ok(), "neither followed the other");
    let third = exchanged(&shop.auth, &lost).unwrap();
    assert_eq!(third.session.generation, 3);
    assert!(used(&shop.auth, &found).is_ok(), "until the third is used");
}

#[test]
fn only_the_first_use_of_a_token_is_written() {
    let shop = Shop::open();
    let second = exchanged(&shop.auth, &login(&shop, exchangeable())).unwrap();
    used(&shop.auth, &second).unwrap();
    used(&shop.auth, &second).unwrap();
    shop.memory.turn(tillgate_auth_core::ports::InstanceState::Draining);
    for auth in [&shop.auth, &shop.process()] {
        assert!(used(auth, &second).is_ok(), "it is asked from memory, or read");
    }
}

#[test]
fn a_session_of_terms_without_an_overlap_moves_nowhere() {
    let shop = Shop::open();
    let first = login(&shop, Terms { exchange_overlap: None, ..exchangeable() });
    let second = exchanged(&shop.auth, &first).unwrap();
    assert_eq!(second.session.generation, 1);
    used(&shop.auth, &second).unwrap();
    shop.clock.advance(23 * HOUR);
    assert!(used(&shop.auth, &first).is_ok());
}

#[test]
fn a_store_that_went_back_gets_no_token_twice() {
    let shop = Shop::open();
    let first = login(&shop, exchangeable());
    let third = exchanged(&shop.auth, &exchanged(&shop.auth, &first).unwrap()).unwrap();
    let back = tillgate_auth_core::ports::Rotation {
        generation: 1,
        key: first.session.key,
        previous_key: first.session.key,
        at: first.session.created_at,
        expires_at: first.session.expires_at,
        from: None,
    };
    let id = first.session.id;
    assert!(tillgate_domain::StoreExt::write(shop.auth_store(), |tx| tx.sessions().rotate(id, 3, &back)).unwrap());
    assert_eq!(exchanged(&shop.auth, &third).unwrap().session.generation, 4);
    shop.clock.advance(MINUTE);
    let scope = Scope::User(shop.world.cashier.id);
    tillgate_domain::StoreExt::write(shop.auth_store(), |tx| tx.endings().touch(scope, shop.auth.time().at)).unwrap();
    assert!(used(&shop.auth, &third).is_ok());
}
