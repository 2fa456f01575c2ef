//! The throttle over the in-memory store: what users and guessers experience, step by step, over
//! days, and concurrently.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod concurrency;
mod guarantees;

use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use ring::hmac;
use tillgate_auth_core::AuthPorts;
use tillgate_auth_core::ports::CountKey;
use tillgate_auth_core::throttle::{
    Admission, AttemptOutcome, Charge, ClaimedIdentity, LoginAttempt, LoginQueue, PriorSession, Throttle,
    ThrottleLimits,
};
use tillgate_domain::{
    DeviceId, FoldedText, Instant, PrincipalId, Secret, Store, StoreError, StoreExt, StoreResult, UserId,
};
use tillgate_memory::MemoryStore;

/// The key under which the throttle of these tests counts.
const KEY: [u8; 32] = [7; 32];

const NOON: Instant = Instant::from_millis(1_800_014_400_000);
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
const DAY: Duration = Duration::from_hours(24);

/// A server: a throttle over a store.
struct Server {
    store: Arc<dyn Store<AuthPorts>>,
    throttle: Throttle,
    turns: LoginQueue,
}

fn server() -> Server {
    over(Arc::new(MemoryStore::new()))
}

fn over(store: Arc<dyn Store<AuthPorts>>) -> Server {
    Server { store, throttle: Throttle::new(&KEY, ThrottleLimits::default()), turns: LoginQueue::new(256) }
}

fn user(byte: u8) -> PrincipalId {
    PrincipalId::User(UserId::new(NOON, [byte; 10]))
}

fn password(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

/// Anna, from the network with this number.
fn anna_from(network: u16) -> LoginAttempt {
    let [high, low] = network.to_be_bytes();
    LoginAttempt {
        identity: ClaimedIdentity::Principal(user(1)),
        device: Some(DeviceId::new(NOON, [2; 10])),
        address: Some(IpAddr::from([10, high, low, 1])),
        prior_session: None,
        password: password("right"),
    }
}

fn anna() -> LoginAttempt {
    anna_from(1)
}

/// Another user on the same network.
fn neighbour(byte: u8) -> LoginAttempt {
    LoginAttempt { identity: ClaimedIdentity::Principal(user(byte)), ..anna() }
}

/// Anna with a refresh token of her session on the device with this number.
fn anna_by_proof(device: u8, network: u16) -> LoginAttempt {
    let prior =
        PriorSession { user: Some(UserId::new(NOON, [1; 10])), device: Some(DeviceId::new(NOON, [device; 10])) };
    LoginAttempt { prior_session: Some(prior), ..anna_from(network) }
}

fn guessing<G: ToString + ?Sized>(attempt: &LoginAttempt, guess: &G) -> LoginAttempt {
    LoginAttempt { password: password(&guess.to_string()), ..attempt.clone() }
}

/// On a busy machine, concurrent calls may wait for the store longer than it allows.
fn patiently<T>(work: impl Fn() -> StoreResult<T>) -> T {
    loop {
        match work() {
            Err(StoreError::Unavailable(_)) => {}
            done => return done.unwrap(),
        }
    }
}

impl Server {
    fn ask(&self, attempt: &LoginAttempt, now: Instant) -> Admission {
        patiently(|| self.store.write("test", |tx| self.throttle.open_charge(tx, attempt, now)))
    }

    fn admitted(&self, attempt: &LoginAttempt, now: Instant) -> Charge {
        match self.ask(attempt, now) {
            Admission::Admitted(charge) => *charge,
            other => panic!("not admitted: {other:?}"),
        }
    }

    /// Whether it counted as a wrong password.
    fn settle(&self, charge: &Charge, outcome: AttemptOutcome, now: Instant) -> bool {
        let counted =
            patiently(|| self.store.write("test", |tx| self.throttle.settle_charge(tx, charge, outcome, now)));
        self.turns.notify_settled(charge);
        counted
    }

    fn try_at(&self, attempt: &LoginAttempt, outcome: AttemptOutcome, now: Instant) -> bool {
        let charge = self.admitted(attempt, now);
        self.settle(&charge, outcome, now)
    }

    /// Tries the wrong passwords with these numbers.
    fn fail(&self, attempt: &LoginAttempt, numbers: std::ops::Range<u32>, now: Instant) {
        for number in numbers {
            assert!(self.try_at(&guessing(attempt, &number), AttemptOutcome::Failed, now), "guess {number}");
        }
    }

    fn held(&self, attempt: &LoginAttempt, now: Instant) -> Duration {
        match self.ask(attempt, now) {
            Admission::RateLimited { retry_after } => retry_after,
            other => panic!("not held: {other:?}"),
        }
    }

    /// Whether it is admitted; returns the token.
    fn admits(&self, attempt: &LoginAttempt, now: Instant) -> bool {
        match self.ask(attempt, now) {
            Admission::Admitted(charge) => !self.settle(&charge, AttemptOutcome::Withdrawn, now),
            _ => false,
        }
    }

    /// Whether the client is known.
    fn knows(&self, attempt: &LoginAttempt, now: Instant) -> bool {
        self.store.read("test", |tx| self.throttle.classify(tx, attempt, now)).unwrap().is_known()
    }

    fn forgive(&self, principal: PrincipalId) -> u32 {
        self.store.write("test", |tx| tx.attempts().clear_failed_logins(principal.uuid())).unwrap()
    }

    /// Waits for a turn as a login does, until it is admitted or denied. `None` if it was denied.
    fn login(&self, attempt: &LoginAttempt, outcome: AttemptOutcome, now: Instant) -> Option<Charge> {
        let mut spot = self.turns.new_slot();
        for _ in 0..10_000 {
            match self.ask(attempt, now) {
                Admission::Admitted(charge) => {
                    drop(spot);
                    thread::yield_now();
                    self.settle(&charge, outcome, now);
                    return Some(*charge);
                }
                Admission::Wait(turn) => spot.wait(&turn, Duration::from_hours(1)).unwrap(),
                Admission::RateLimited { .. } => return None,
            }
        }
        panic!("its turn never came");
    }

    /// How many of these logins are admitted, each on a thread, all at once.
    fn crowd(&self, attempts: &[LoginAttempt], outcome: AttemptOutcome) -> usize {
        let (through, start) = (AtomicUsize::new(0), Barrier::new(attempts.len()));
        thread::scope(|scope| {
            for attempt in attempts {
                scope.spawn(|| {
                    start.wait();
                    if self.login(attempt, outcome, NOON).is_some() {
                        through.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
        });
        assert_eq!(self.turns.waiting_count(), 0);
        through.into_inner()
    }
}

#[test]
fn unknown_networks_get_ten_attempts_then_one_per_sixteen_minutes() {
    for who in [anna().identity, ClaimedIdentity::Unknown { tenant: None, name: FoldedText::of("nobody") }] {
        let server = server();
        let from = |network: u16| LoginAttempt { identity: who.clone(), ..anna_from(network) };
        for number in 0..10_u16 {
            server.fail(&from(number), u32::from(number)..u32::from(number) + 1, NOON);
        }
        assert_eq!(server.held(&from(99), NOON), 16 * MINUTE, "wherever it comes from");
        assert_eq!(server.held(&from(99), NOON.saturating_add(MINUTE)), 15 * MINUTE, "asking costs nothing");
        let next = NOON.saturating_add(16 * MINUTE);
        server.fail(&from(99), 99..100, next);
        assert_eq!(server.held(&from(1), next), 16 * MINUTE);
        assert!(server.admits(&from(1), next.saturating_add(16 * MINUTE)));
    }
}

#[test]
fn known_network_gets_fifty_attempts_then_one_per_minute() {
    let server = server();
    server.try_at(&anna(), AttemptOutcome::Succeeded, NOON);
    server.fail(&anna(), 0..50, NOON);
    assert_eq!(server.held(&anna(), NOON), MINUTE);
    server.fail(&anna(), 50..51, NOON.saturating_add(MINUTE));
    assert_eq!(server.held(&anna(), NOON.saturating_add(MINUTE)), MINUTE);
    assert!(server.admits(&neighbour(2), NOON), "another account in the same network");
    assert!(server.admits(&anna_from(2), NOON), "the same account in another");
}

#[test]
fn proof_gets_five_attempts_then_one_per_five_seconds() {
    let server = server();
    server.fail(&anna_by_proof(1, 1), 0..5, NOON);
    assert_eq!(server.held(&anna_by_proof(1, 2), NOON), 5 * SECOND, "the network is not asked");
    assert!(server.admits(&anna_by_proof(2, 1), NOON), "another proof");
    assert!(server.admits(&anna(), NOON), "no proof at all");
    server.fail(&anna_by_proof(1, 1), 5..6, NOON.saturating_add(5 * SECOND));
}

#[test]
fn proof_is_void_for_a_day_after_hundred_failures() {
    let server = server();
    let mut now = NOON;
    for number in 0..100 {
        while !server.admits(&anna_by_proof(1, 1), now) {
            now = now.saturating_add(SECOND);
        }
        assert!(server.admitted(&anna_by_proof(1, 1), now).is_known());
        now = now.saturating_add(31 * SECOND);
        server.fail(&anna_by_proof(1, 1), number..number + 1, now);
    }
    assert!(!server.admitted(&anna_by_proof(1, 1), now).is_known(), "it is a stranger's");
    assert!(!server.admitted(&anna_by_proof(1, 1), now.saturating_add(DAY).saturating_sub(SECOND)).is_known());
    assert!(server.admitted(&anna_by_proof(1, 1), now.saturating_add(DAY)).is_known());
}

#[test]
fn repeated_wrong_password_takes_no_token_for_a_day() {
    let server = server();
    assert!(server.try_at(&guessing(&anna(), "old"), AttemptOutcome::Failed, NOON));
    for _ in 0..100 {
        assert!(!server.try_at(
            &guessing(&anna(), "old"),
            AttemptOutcome::Failed,
            NOON.saturating_add(DAY).saturating_sub(SECOND)
        ));
    }
    assert!(server.try_at(&guessing(&anna(), "old"), AttemptOutcome::Failed, NOON.saturating_add(DAY)));
    server.fail(&anna(), 0..9, NOON.saturating_add(DAY));
    assert_eq!(
        server.held(&guessing(&anna(), "old"), NOON.saturating_add(DAY)),
        16 * MINUTE,
        "nobody learns what others tried"
    );
    let another = guessing(&neighbour(2), "old");
    assert!(server.try_at(&another, AttemptOutcome::Failed, NOON.saturating_add(DAY)), "of another account");
}

#[test]
fn network_gets_fifty_attempts_for_all_unknown_accounts() {
    let server = server();
    server.try_at(&neighbour(200), AttemptOutcome::Succeeded, NOON);
    for byte in 0..50 {
        server.fail(&neighbour(byte), 0..1, NOON);
    }
    assert_eq!(server.held(&neighbour(99), NOON), MINUTE);
    assert!(server.admits(&neighbour(200), NOON), "who is known there is not held back");
    assert!(server.admits(&LoginAttempt { address: None, ..neighbour(99) }, NOON), "nor who comes from elsewhere");
    server.fail(&neighbour(99), 0..1, NOON.saturating_add(MINUTE));
    assert_eq!(server.held(&neighbour(98), NOON.saturating_add(MINUTE)), MINUTE);
    let later = NOON.saturating_add(51 * MINUTE);
    for byte in 100..150 {
        server.fail(&neighbour(byte), 0..1, later);
    }
    assert_eq!(server.held(&neighbour(99), later), MINUTE, "it ages by itself");
}

#[test]
fn success_returns_only_its_own_token() {
    let server = server();
    server.fail(&anna(), 0..9, NOON);
    for _ in 0..3 {
        server.try_at(&anna_from(2), AttemptOutcome::Succeeded, NOON);
    }
    server.fail(&anna_from(3), 9..10, NOON);
    assert_eq!(server.held(&anna_from(3), NOON), 16 * MINUTE);
    assert!(server.admits(&anna_from(2), NOON), "where it succeeded it is known");
}

#[test]
fn clearing_failed_logins_affects_one_principal_only() {
    let server = server();
    server.try_at(&anna_from(9), AttemptOutcome::Succeeded, NOON);
    server.fail(&anna_from(9), 0..50, NOON);
    server.fail(&anna_by_proof(1, 1), 0..5, NOON);
    for number in 0..10 {
        server.fail(&anna_from(1), number..number + 1, NOON);
    }
    for byte in 10..50 {
        server.fail(&neighbour(byte), 0..1, NOON);
    }
    assert_eq!(server.forgive(user(1)), 3, "in the known network, by the proof, and elsewhere");
    server.fail(&anna_from(9), 0..50, NOON);
    server.fail(&anna_by_proof(1, 1), 0..5, NOON);
    server.fail(&anna_from(2), 0..10, NOON);
    assert_eq!(server.held(&neighbour(99), NOON), MINUTE, "the network is nobody's to be forgiven");
}

#[test]
fn refilled_network_has_all_tokens_and_accounts_keep_their_count() {
    let server = server();
    server.fail(&anna(), 0..10, NOON);
    for byte in 10..50 {
        server.fail(&neighbour(byte), 0..1, NOON);
    }
    assert_eq!(server.held(&neighbour(99), NOON), MINUTE);
    let refill =
        |address: IpAddr| patiently(|| server.store.write("test", |tx| server.throttle.refill_network(tx, address)));
    let address = neighbour(99).address.unwrap();
    assert!(!refill("2001:db8:77::1".parse().unwrap()) && refill(address) && !refill(address));
    for byte in 100..150 {
        server.fail(&neighbour(byte), 0..1, NOON);
    }
    assert_eq!(server.held(&neighbour(99), NOON), MINUTE);
    assert_eq!(server.held(&anna(), NOON), 16 * MINUTE);
}

#[test]
fn account_is_known_in_networks_of_four_latest_successes() {
    let server = server();
    let known = |network: u16, now| server.knows(&anna_from(network), now);
    let mut now = NOON;
    for network in [1, 2, 3, 4, 5] {
        now = now.saturating_add(DAY);
        server.try_at(&anna_from(network), AttemptOutcome::Succeeded, now);
    }
    assert_eq!([1, 2, 3, 4, 5].map(|network| known(network, now)), [false, true, true, true, true]);
    now = now.saturating_add(DAY);
    server.try_at(&anna_from(2), AttemptOutcome::Succeeded, now);
    server.try_at(&anna_from(6), AttemptOutcome::Succeeded, now.saturating_add(SECOND));
    assert_eq!([2, 3, 4, 5, 6].map(|network| known(network, now)), [true, false, true, true, true]);
    assert!(known(2, now.saturating_add(90 * DAY)) && !known(2, now.saturating_add(90 * DAY + SECOND)));
    let other = LoginAttempt { device: None, ..anna_from(2) };
    assert!(server.knows(&other, now), "on any device");
    assert!(!server.knows(&LoginAttempt { identity: ClaimedIdentity::Principal(user(2)), ..anna_from(2) }, now));
}

/// The key of a place as versions before known networks stored it: HMAC-SHA256 over the label, the
/// device and the address, each preceded by its length.
fn legacy_place(attempt: &LoginAttempt) -> CountKey {
    let device = attempt.device.unwrap().0;
    let Some(IpAddr::V4(address)) = attempt.address else { panic!("an IPv4 address") };
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &KEY));
    for part in [b"place".as_slice(), b"some", device.as_bytes(), b"some", &address.octets()] {
        context.update(&u64::try_from(part.len()).unwrap().to_be_bytes());
        context.update(part);
    }
    CountKey(context.sign().as_ref().try_into().unwrap())
}

#[test]
fn legacy_place_is_still_known() {
    let server = server();
    let place = legacy_place(&anna());
    server.store.write("test", |tx| tx.known_networks().record_success(user(1).uuid(), &place, NOON)).unwrap();
    assert!(server.admitted(&anna(), NOON).is_known());
    let same_network = LoginAttempt { address: Some(IpAddr::from([10, 0, 1, 2])), ..anna() };
    assert!(!server.admitted(&same_network, NOON).is_known(), "another address");
    server.try_at(&anna(), AttemptOutcome::Succeeded, NOON);
    assert!(server.admitted(&same_network, NOON).is_known(), "until the next success");
}

#[test]
fn failed_login_makes_no_network_known() {
    let server = server();
    server.try_at(&anna(), AttemptOutcome::Failed, NOON);
    server.try_at(&anna(), AttemptOutcome::Withdrawn, NOON);
    assert!(!server.admitted(&anna(), NOON).is_known());
}

#[test]
fn withdrawn_attempt_takes_no_token() {
    let server = server();
    for known in [false, true] {
        for _ in 0..200 {
            let charge = server.admitted(&anna(), NOON);
            assert_eq!(charge.is_known(), known);
            assert!(!server.settle(&charge, AttemptOutcome::Withdrawn, NOON));
        }
        server.try_at(&anna(), AttemptOutcome::Succeeded, NOON);
    }
}

#[test]
fn just_set_password_is_no_guess_and_makes_network_known() {
    let server = server();
    server.fail(&anna_from(2), 0..10, NOON);
    let charge = server.store.write("test", |tx| server.throttle.classify(tx, &anna(), NOON)).unwrap();
    assert!(!charge.is_known());
    server.settle(&charge, AttemptOutcome::Succeeded, NOON);
    assert!(server.admitted(&anna(), NOON).is_known());
    assert_eq!(server.held(&anna_from(2), NOON), 16 * MINUTE);
}

#[test]
fn tokens_of_dead_process_are_spent() {
    let server = server();
    let lost: Vec<Charge> = (0..10).map(|_| server.admitted(&anna(), NOON)).collect();
    let waits = |now| matches!(server.ask(&anna(), now), Admission::Wait(_));
    assert!(waits(NOON) && waits(NOON.saturating_add(30 * SECOND)));
    assert_eq!(server.held(&anna(), NOON.saturating_add(31 * SECOND)), 15 * MINUTE + 29 * SECOND);
    // One of the processes was still running, and only slow.
    let now = NOON.saturating_add(32 * SECOND);
    server.settle(&lost[0], AttemptOutcome::Succeeded, now);
    server.fail(&anna_from(2), 0..1, now);
    assert_eq!(server.held(&anna_from(2), now), 15 * MINUTE + 28 * SECOND);
}

#[test]
fn clock_ahead_blocks_for_short_time() {
    let server = server();
    server.fail(&anna(), 0..10, NOON.saturating_add(365 * DAY));
    server.fail(&anna(), 10..20, NOON);
    assert_eq!(server.held(&anna(), NOON), 16 * MINUTE, "from then on it is counted as ever");
}
