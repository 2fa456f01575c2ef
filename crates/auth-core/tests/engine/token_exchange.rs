//! Exchanged access tokens, over several processes: each expires some time after the first use of a
//! successor.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tillgate_auth_core::{
    Auth, AuthPorts, AuthStore, Error, GrantKind, IssuedTokens, LoginRequest, Terms, TokenDenied,
};
use tillgate_domain::change::Observer;
use tillgate_domain::{Scope, Store, StoreExt, StoreResult, UnitOfWork, Work};
use tillgate_memory::MemoryStore;

use crate::fixture::{
    EngineFixture, HOUR, MINUTE, OVERLAP, authenticate, by_user, native, presented, refresh, terms, token_refused,
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

/// Whether the token is accepted without the store.
fn is_known(auth: &Auth, granted: &IssuedTokens) -> bool {
    auth.authenticate_cached(&presented(granted.access_token.expose(), &native())).is_some_and(|known| known.is_ok())
}

/// A store that records the names of its units of work.
struct CountingStore {
    memory: MemoryStore,
    units: Mutex<Vec<&'static str>>,
}

impl CountingStore {
    /// The units of work of this call.
    fn count<T>(&self, call: impl FnOnce() -> T) -> (T, Vec<&'static str>) {
        self.units.lock().unwrap().clear();
        let result = call();
        (result, std::mem::take(&mut *self.units.lock().unwrap()))
    }
}

impl Store<AuthPorts> for CountingStore {
    fn run(&self, unit: UnitOfWork, work: Work<'_, AuthPorts>) -> StoreResult<()> {
        self.units.lock().unwrap().push(unit.name);
        Store::<AuthPorts>::run(&self.memory, unit, work)
    }
}

impl AuthStore for CountingStore {
    fn add_observer(&self, observer: Arc<dyn Observer>) {
        self.memory.add_observer(observer);
    }
}

/// A process whose units of work are counted.
fn counting_process(fixture: &EngineFixture) -> (Arc<CountingStore>, Arc<Auth>) {
    let store = Arc::new(CountingStore { memory: fixture.memory.share_with_process(), units: Mutex::default() });
    let auth = fixture.process_over(store.clone());
    (store, auth)
}

#[test]
fn exchange_takes_as_many_units_of_work_as_refresh() {
    let fixture = EngineFixture::open();
    let (store, auth) = counting_process(&fixture);
    let mut refreshed = auth.login(&by_user("cashier", None)).unwrap();
    let mut exchanged = auth.login(&LoginRequest { terms: exchangeable(), ..by_user("cashier", None) }).unwrap();
    for generation in 2..6 {
        // the overlaps are over, and polls find what the process itself has written
        fixture.clock.advance(OVERLAP);
        auth.poll_feed().unwrap();
        let (granted, of_refresh) = store.count(|| refresh(&auth, &refreshed).unwrap());
        refreshed = granted;
        assert_eq!(refreshed.session.generation, generation);
        assert_eq!(of_refresh, ["refresh"]);
        // the exchange is the first use of the token
        let (granted, of_exchange) = store.count(|| exchange(&auth, &exchanged).unwrap());
        exchanged = granted;
        assert_eq!(exchanged.session.generation, generation);
        assert_eq!(of_exchange, ["exchange_token"]);
    }
    let ((), of_use) = store.count(|| drop(authenticate(&auth, &exchanged).unwrap()));
    assert_eq!(of_use, ["record_first_use"]);
    let ((), of_next_use) = store.count(|| drop(authenticate(&auth, &exchanged).unwrap()));
    assert_eq!(of_next_use, [""; 0]);
    let (_, after_use) = store.count(|| exchange(&auth, &exchanged).unwrap());
    assert_eq!(after_use, ["exchange_token"]);
}

#[test]
fn first_use_outdates_first_uses_of_its_session_alone() {
    let fixture = EngineFixture::open();
    let (store, other) = counting_process(&fixture);
    let (first, neighbor) = (login(&fixture, exchangeable()), login(&fixture, exchangeable()));
    for granted in [&first, &neighbor] {
        authenticate(&other, granted).unwrap();
    }
    let second = exchange(&fixture.auth, &first).unwrap();
    authenticate(&fixture.auth, &second).unwrap();
    assert!(is_known(&fixture.auth, &first) && is_known(&fixture.auth, &neighbor), "the process that wrote it");
    other.poll_feed().unwrap();
    assert!(is_known(&other, &neighbor), "another session of the user");
    assert!(!is_known(&other, &first), "its successor may have been used");
    let ((), units) = store.count(|| drop(authenticate(&other, &first).unwrap()));
    assert_eq!(units, ["read_first_uses"], "the profile is still known");
}

#[test]
fn token_without_grace_period_ends_with_first_use_of_successor() {
    let fixture = EngineFixture::open();
    let other = fixture.process();
    let first = login(&fixture, Terms { exchange_overlap: Some(Duration::ZERO), ..exchangeable() });
    authenticate(&other, &first).unwrap();
    let second = exchange(&other, &first).unwrap();
    assert!(authenticate(&fixture.auth, &first).is_ok(), "its successor was not used");
    authenticate(&other, &second).unwrap();
    assert_eq!(token_refused(authenticate(&other, &first)), TokenDenied::Expired, "at once where it happened");
    assert_eq!(token_refused(exchange(&other, &first)), TokenDenied::Expired);
    fixture.auth.poll_feed().unwrap();
    for auth in [&fixture.auth, &fixture.process()] {
        assert_eq!(token_refused(authenticate(auth, &first)), TokenDenied::Expired);
        assert!(authenticate(auth, &second).is_ok());
    }
    // an exchange is a first use, too
    let third = exchange(&fixture.auth, &exchange(&fixture.auth, &second).unwrap()).unwrap();
    assert_eq!(token_refused(authenticate(&fixture.auth, &second)), TokenDenied::Expired);
    other.poll_feed().unwrap();
    assert_eq!(token_refused(authenticate(&other, &second)), TokenDenied::Expired);
    // the end of the session reaches all of its tokens
    fixture.auth.end_session(third.session.id).unwrap();
    assert_eq!(token_refused(authenticate(&fixture.auth, &third)), TokenDenied::SessionOver);
    other.poll_feed().unwrap();
    assert_eq!(token_refused(authenticate(&other, &third)), TokenDenied::SessionOver);
}

#[test]
fn first_uses_without_effect_are_removed() {
    let fixture = EngineFixture::open();
    let mut granted = login(&fixture, exchangeable());
    for _ in 0..5 {
        granted = exchange(&fixture.auth, &granted).unwrap();
        fixture.clock.advance(OVERLAP);
        fixture.auth.poll_feed().unwrap();
    }
    let id = granted.session.id;
    let uses = fixture.auth_store().read("test", |tx| tx.sessions().list_first_uses(id)).unwrap();
    assert_eq!(uses.iter().map(|first| first.generation).collect::<Vec<_>>(), [4, 5], "the first has ended the third");
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
    assert!(fixture.auth_store().write("test", |tx| tx.sessions().rotate(id, 3, &back)).unwrap());
    assert_eq!(exchange(&fixture.auth, &third).unwrap().session.generation, 4);
    fixture.clock.advance(MINUTE);
    let at = fixture.auth.time().at;
    fixture.auth_store().write("test", |tx| tx.revocations().invalidate(Scope::Session(id), at)).unwrap();
    assert!(authenticate(&fixture.auth, &third).is_ok());
}
