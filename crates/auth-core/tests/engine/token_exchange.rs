//! Exchanged access tokens, over several processes: each expires some time after the first use of a
//! successor.

use std::time::Duration;

use tillgate_auth_core::{Auth, Error, GrantKind, IssuedTokens, LoginRequest, Terms, TokenDenied};
use tillgate_domain::Scope;

use crate::fixture::{
    EngineFixture, HOUR, MINUTE, OVERLAP, authenticate, by_user, native, presented, terms, token_refused,
};

const MOMENT: Duration = Duration::from_millis(1);

fn exchangeable() -> Terms {
    Terms { access: 24 * HOUR, refresh: None, absolute: Some(72 * HOUR), exchange_overlap: Some(OVERLAP), ..terms() }
}

fn login(fixture: &EngineFixture, terms: Terms) -> IssuedTokens {
    fixture.auth.login(&LoginRequest { terms, ..by_user("cashier", None) }).unwrap()
}

fn exchange(auth: &Auth, granted: &IssuedTokens) -> Result<IssuedTokens, Error> {
    auth.exchange(&presented(granted.access_token.expose(), &native()))
}

#[test]
fn used_successor_supersedes_token_in_every_process() {
    let fixture = EngineFixture::open();
    let other = fixture.process();
    let first = login(&fixture, exchangeable());
    assert!(authenticate(&other, &first).is_ok(), "the other process knows it");
    let second = exchange(&fixture.auth, &first).unwrap();
    assert_eq!((second.kind, second.session.generation), (GrantKind::Exchanged, 2));
    fixture.clock.advance(HOUR);
    assert!(authenticate(&other, &first).is_ok(), "its successor was not used");
    authenticate(&fixture.auth, &second).unwrap();
    other.poll_feed().unwrap();
    fixture.clock.advance(OVERLAP - MOMENT);
    for auth in [&fixture.auth, &other, &fixture.process()] {
        assert!(authenticate(auth, &first).is_ok());
    }
    fixture.clock.advance(MOMENT);
    for auth in [&fixture.auth, &other, &fixture.process()] {
        assert_eq!(token_refused(authenticate(auth, &first)), TokenDenied::Expired);
        assert_eq!(token_refused(exchange(auth, &first)), TokenDenied::Expired);
        assert!(authenticate(auth, &second).is_ok(), "the session lives");
    }
}

#[test]
fn lost_exchange_response_is_repeated() {
    let fixture = EngineFixture::open();
    let first = login(&fixture, exchangeable());
    let (lost, found) = (exchange(&fixture.auth, &first).unwrap(), exchange(&fixture.process(), &first).unwrap());
    assert_eq!((lost.session.generation, found.session.generation), (2, 2));
    authenticate(&fixture.auth, &found).unwrap();
    fixture.clock.advance(OVERLAP);
    assert!(authenticate(&fixture.auth, &lost).is_ok(), "neither followed the other");
    let third = exchange(&fixture.auth, &lost).unwrap();
    assert_eq!(third.session.generation, 3);
    assert!(authenticate(&fixture.auth, &found).is_ok(), "until the third is used");
}

#[test]
fn only_first_use_of_token_is_written() {
    let fixture = EngineFixture::open();
    let second = exchange(&fixture.auth, &login(&fixture, exchangeable())).unwrap();
    authenticate(&fixture.auth, &second).unwrap();
    authenticate(&fixture.auth, &second).unwrap();
    fixture.memory.set_instance_state(tillgate_auth_core::ports::InstanceState::Draining);
    for auth in [&fixture.auth, &fixture.process()] {
        assert!(authenticate(auth, &second).is_ok(), "it is asked from memory, or read");
    }
}

#[test]
fn session_without_exchange_overlap_keeps_generation() {
    let fixture = EngineFixture::open();
    let first = login(&fixture, Terms { exchange_overlap: None, ..exchangeable() });
    let second = exchange(&fixture.auth, &first).unwrap();
    assert_eq!(second.session.generation, 1);
    authenticate(&fixture.auth, &second).unwrap();
    fixture.clock.advance(23 * HOUR);
    assert!(authenticate(&fixture.auth, &first).is_ok());
}

#[test]
fn rolled_back_store_issues_no_token_twice() {
    let fixture = EngineFixture::open();
    let first = login(&fixture, exchangeable());
    let third = exchange(&fixture.auth, &exchange(&fixture.auth, &first).unwrap()).unwrap();
    let back = tillgate_auth_core::ports::Rotation {
        generation: 1,
        key: first.session.key,
        previous_key: first.session.key,
        at: first.session.created_at,
        expires_at: first.session.expires_at,
        from: None,
        proved_at: None,
    };
    let id = first.session.id;
    assert!(
        tillgate_domain::StoreExt::write(fixture.auth_store(), "test", |tx| tx.sessions().rotate(id, 3, &back))
            .unwrap()
    );
    assert_eq!(exchange(&fixture.auth, &third).unwrap().session.generation, 4);
    fixture.clock.advance(MINUTE);
    let scope = Scope::User(fixture.records.user("cashier").id);
    tillgate_domain::StoreExt::write(fixture.auth_store(), "test", |tx| {
        tx.revocations().invalidate(scope, fixture.auth.time().at)
    })
    .unwrap();
    assert!(authenticate(&fixture.auth, &third).is_ok());
}
