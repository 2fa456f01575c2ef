//! Exchanged access tokens, over several processes: each expires some time after the first use of a
//! successor.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tillgate_auth_core::{
    Auth, AuthDenied, AuthPorts, AuthStore, Error, GrantKind, IssuedTokens, LoginRequest, Terms, TokenDenied,
};
use tillgate_domain::change::Observer;
use tillgate_domain::{Mode, Store, StoreError, StoreExt, StoreResult, UnitOfWork, Work};
use tillgate_test_store::TestStore;
use tillgate_testkit::FailingStore;
use tillgate_testkit::failing_store::PlannedFailure;

use crate::fixture::{
    EngineFixture, HOUR, MINUTE, OVERLAP, authenticate, by_user, native, presented, refresh, terms, token_refused,
    unavailable,
};

const MOMENT: Duration = Duration::from_millis(1);

/// How long first uses are cached at least.
const SHORTEST_READING: Duration = Duration::from_millis(250);

fn exchangeable() -> Terms {
    Terms { access: 24 * HOUR, refresh: None, absolute: Some(72 * HOUR), exchange_overlap: Some(OVERLAP), ..terms() }
}

fn login(fixture: &EngineFixture, terms: Terms) -> IssuedTokens {
    fixture.auth.login(&LoginRequest { terms, ..by_user("cashier", None) }).unwrap()
}

fn exchange(auth: &Auth, granted: &IssuedTokens) -> Result<IssuedTokens, Error> {
    auth.exchange(&presented(granted.access_token.expose(), &native()))
}

/// The generations with a recorded first use.
fn list_first_uses(fixture: &EngineFixture, granted: &IssuedTokens) -> Vec<i64> {
    let id = granted.session.id;
    let uses = fixture.auth_store().read("test", |tx| tx.sessions().list_first_uses(id)).unwrap();
    uses.iter().map(|first| first.generation).collect()
}

/// Whether the token is accepted without the store.
fn is_known(auth: &Auth, granted: &IssuedTokens) -> bool {
    auth.authenticate_cached(&presented(granted.access_token.expose(), &native())).is_some_and(|known| known.is_ok())
}

/// A store that records the names of its units of work.
struct CountingStore {
    store: TestStore,
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
        Store::<AuthPorts>::run(&self.store, unit, work)
    }
}

impl AuthStore for CountingStore {
    fn add_observer(&self, observer: Arc<dyn Observer>) {
        self.store.add_observer(observer);
    }
}

/// A process whose units of work are counted.
fn counting_process(fixture: &EngineFixture) -> (Arc<CountingStore>, Arc<Auth>) {
    let store = Arc::new(CountingStore { store: fixture.store.share_with_process(), units: Mutex::default() });
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
fn first_uses_are_read_twice_in_a_grace_period() {
    let fixture = EngineFixture::open();
    let (store, other) = counting_process(&fixture);
    let first = login(&fixture, exchangeable());
    authenticate(&other, &first).unwrap();
    let second = exchange(&fixture.auth, &first).unwrap();
    authenticate(&fixture.auth, &second).unwrap();
    fixture.clock.advance(OVERLAP / 2 - MOMENT);
    other.poll_feed().unwrap();
    assert!(is_known(&other, &first), "what happened since has ended nothing yet");
    fixture.clock.advance(MOMENT);
    assert!(!is_known(&other, &first), "its successor may have been used");
    let ((), units) = store.count(|| drop(authenticate(&other, &first).unwrap()));
    assert_eq!(units, ["read_first_uses"], "the profile is still known");
    fixture.clock.advance(OVERLAP / 2);
    other.poll_feed().unwrap();
    assert!(!is_known(&other, &first));
    assert_eq!(token_refused(authenticate(&other, &first)), TokenDenied::Expired);
}

#[test]
fn first_uses_are_trusted_for_a_grace_period_while_store_is_away() {
    let fixture = EngineFixture::open();
    let store = Arc::new(FailingStore::new(Arc::new(fixture.store.share_with_process())));
    let auth = fixture.process_over(store.clone());
    let overlap = MINUTE / 2;
    let granted = login(&fixture, Terms { exchange_overlap: Some(overlap), ..exchangeable() });
    authenticate(&auth, &granted).unwrap();
    store.plan_failure(PlannedFailure::at_once(StoreError::Unavailable("gone".into())).only(Mode::Read));
    fixture.clock.advance(overlap - MOMENT);
    assert!(unavailable(authenticate(&auth, &granted)), "it is not known that the store is away");
    assert!(unavailable(auth.poll_feed()));
    authenticate(&auth, &granted).unwrap();
    fixture.clock.advance(MOMENT);
    assert!(unavailable(authenticate(&auth, &granted)), "a successor may have been used a grace period ago");
    store.clear_failure();
    authenticate(&auth, &granted).unwrap();
}

/// A superseded token that is presented for an exchange is not a use of its session.
#[test]
fn denied_exchange_is_not_recorded_as_use() {
    let fixture = EngineFixture::open();
    let first = login(&fixture, exchangeable());
    let second = exchange(&fixture.auth, &first).unwrap();
    let third = exchange(&fixture.auth, &second).unwrap();
    let last_used_at = || fixture.session(third.session.id).last_used_at;
    fixture.auth.write_activity().unwrap();
    let used_at = last_used_at();
    assert!(used_at.is_some(), "an exchange is a use");
    fixture.clock.advance(OVERLAP);
    for auth in [&fixture.auth, &fixture.process()] {
        assert_eq!(token_refused(exchange(auth, &first)), TokenDenied::Expired);
        auth.write_activity().unwrap();
        assert_eq!(last_used_at(), used_at);
    }
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
    fixture.clock.advance(SHORTEST_READING);
    for auth in [&fixture.auth, &fixture.process()] {
        assert_eq!(token_refused(authenticate(auth, &first)), TokenDenied::Expired);
        assert!(authenticate(auth, &second).is_ok());
    }
    // an exchange is a first use, too
    let third = exchange(&fixture.auth, &exchange(&fixture.auth, &second).unwrap()).unwrap();
    assert_eq!(token_refused(authenticate(&fixture.auth, &second)), TokenDenied::Expired);
    fixture.clock.advance(SHORTEST_READING);
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
    let mut tokens = vec![login(&fixture, exchangeable())];
    for generation in 1..40 {
        tokens.push(exchange(&fixture.auth, tokens.last().unwrap()).unwrap());
        let uses = list_first_uses(&fixture, &tokens[0]);
        assert_eq!(uses.last().copied().unwrap_or(1), generation);
        assert!(uses.len() <= 10, "{uses:?}");
        fixture.clock.advance(OVERLAP);
        fixture.auth.poll_feed().unwrap();
        let superseded = &tokens[..tokens.len() - 2];
        for token in superseded {
            assert_eq!(token_refused(authenticate(&fixture.auth, token)), TokenDenied::Expired);
        }
    }
}

/// Exchanges tokens in turns in these processes, one in a millisecond, until that is denied.
/// Returns the tokens, and how long to wait.
fn exchange_until_denied(
    fixture: &EngineFixture,
    processes: [&Auth; 2],
    terms: Terms,
) -> (Vec<IssuedTokens>, Duration) {
    let mut tokens = vec![login(fixture, terms)];
    loop {
        fixture.clock.advance(MOMENT);
        match exchange(processes[tokens.len() % 2], tokens.last().unwrap()) {
            Ok(next) => tokens.push(next),
            Err(Error::Denied(AuthDenied::TooManyExchanges { retry_after })) => return (tokens, retry_after),
            Err(error) => panic!("{error:?}"),
        }
    }
}

#[test]
fn exchanges_in_a_loop_wait_and_no_token_ends_early() {
    let fixture = EngineFixture::open();
    let other = fixture.process();
    let (tokens, wait) = exchange_until_denied(&fixture, [&fixture.auth, &other], exchangeable());
    let newest = tokens.last().unwrap();
    // the first generation has no first use, and the newest was not used yet
    assert_eq!((tokens.len(), list_first_uses(&fixture, newest).len()), (258, 256));
    assert_eq!(wait, OVERLAP - 256 * MOMENT);
    for auth in [&fixture.auth, &other, &fixture.process()] {
        assert!(tokens.iter().all(|granted| authenticate(auth, granted).is_ok()), "within the grace period");
        let older = exchange(auth, &tokens[tokens.len() - 2]).unwrap();
        assert_eq!(older.session.generation, 258, "it gets the newest again, as if a response was lost");
    }
    fixture.clock.advance(wait - MOMENT);
    let denied =
        |auth: &Auth| matches!(exchange(auth, newest), Err(Error::Denied(AuthDenied::TooManyExchanges { .. })));
    assert!(denied(&fixture.auth) && denied(&other));
    fixture.clock.advance(MOMENT);
    assert_eq!(exchange(&fixture.auth, newest).unwrap().session.generation, 259);
    assert_eq!(token_refused(authenticate(&other, &tokens[0])), TokenDenied::Expired);
    assert!(authenticate(&other, &tokens[1]).is_ok());
    assert!(list_first_uses(&fixture, newest).len() <= 258);
}

/// The grace period may be longer than tokens live: a tenant may have shortened their lifetime.
#[test]
fn denied_exchange_is_possible_before_token_expires() {
    let fixture = EngineFixture::open();
    let terms = Terms { access: MINUTE, exchange_overlap: Some(HOUR), ..exchangeable() };
    let (tokens, wait) = exchange_until_denied(&fixture, [&fixture.auth, &fixture.process()], terms);
    fixture.clock.advance(wait);
    exchange(&fixture.auth, tokens.last().unwrap()).unwrap();
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
    fixture.store.set_instance_state(tillgate_auth_core::ports::InstanceState::Draining);
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
    assert!(authenticate(&fixture.auth, &third).is_ok());
}
