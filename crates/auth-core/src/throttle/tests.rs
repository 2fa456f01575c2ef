//! The throttle over the store in memory: what people and guessers meet, step by step, over days, and all at once.

mod crowds;
mod promises;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;

use tillgate_domain::{Store, StoreError, StoreExt};

use super::*;
use crate::Memory;
use crate::ports::AuthView;

const NOON: Instant = Instant::from_millis(1_800_014_400_000);
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
const DAY: Duration = Duration::from_hours(24);

/// A server: a throttle over a store.
struct Server {
    store: Arc<dyn Store<AuthView>>,
    throttle: Throttle,
    turns: Turns,
}

fn server() -> Server {
    over(Arc::new(Memory::new()))
}

fn over(store: Arc<dyn Store<AuthView>>) -> Server {
    Server { store, throttle: Throttle::new(&[7; 32], ThrottleLimits::default()), turns: Turns::new(256) }
}

fn user(byte: u8) -> PrincipalId {
    PrincipalId::User(UserId::new(NOON, [byte; 10]))
}

fn password(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

/// Anna, from the network of this number.
fn anna_from(network: u16) -> Attempt {
    let [high, low] = network.to_be_bytes();
    Attempt {
        who: Claimed::Principal(user(1)),
        device: Some(DeviceId::new(NOON, [2; 10])),
        address: Some(IpAddr::from([10, high, low, 1])),
        prior: None,
        guess: password("right"),
    }
}

fn anna() -> Attempt {
    anna_from(1)
}

/// Whoever else is on the same network.
fn neighbour(byte: u8) -> Attempt {
    Attempt { who: Claimed::Principal(user(byte)), ..anna() }
}

/// Anna by a refresh token of her session on the device of this number.
fn anna_by_proof(device: u8, network: u16) -> Attempt {
    let prior =
        PriorSession { user: Some(UserId::new(NOON, [1; 10])), device: Some(DeviceId::new(NOON, [device; 10])) };
    Attempt { prior: Some(prior), ..anna_from(network) }
}

fn guessing<G: ToString + ?Sized>(attempt: &Attempt, guess: &G) -> Attempt {
    Attempt { guess: password(&guess.to_string()), ..attempt.clone() }
}

/// On a busy machine a crowd may wait longer for the store than the store lets anybody wait.
fn patiently<T>(work: impl Fn() -> Stored<T>) -> T {
    loop {
        match work() {
            Err(StoreError::Unavailable(_)) => {}
            done => return done.unwrap(),
        }
    }
}

impl Server {
    fn ask(&self, attempt: &Attempt, now: Instant) -> Admission {
        patiently(|| self.store.write(|tx| self.throttle.admit(tx, attempt, now)))
    }

    fn admitted(&self, attempt: &Attempt, now: Instant) -> Charge {
        match self.ask(attempt, now) {
            Admission::Admitted(charge) => *charge,
            other => panic!("not admitted: {other:?}"),
        }
    }

    /// Whether it counted.
    fn settle(&self, charge: &Charge, outcome: Outcome, now: Instant) -> bool {
        let counted = patiently(|| self.store.write(|tx| self.throttle.settle(tx, charge, outcome, now)));
        self.turns.settled(charge);
        counted
    }

    fn try_at(&self, attempt: &Attempt, outcome: Outcome, now: Instant) -> bool {
        let charge = self.admitted(attempt, now);
        self.settle(&charge, outcome, now)
    }

    /// Tries wrong passwords of these numbers.
    fn fail(&self, attempt: &Attempt, numbers: std::ops::Range<u32>, now: Instant) {
        for number in numbers {
            assert!(self.try_at(&guessing(attempt, &number), Outcome::Failed, now), "guess {number}");
        }
    }

    fn held(&self, attempt: &Attempt, now: Instant) -> Duration {
        match self.ask(attempt, now) {
            Admission::Held { retry_after } => retry_after,
            other => panic!("not held: {other:?}"),
        }
    }

    /// Whether it is admitted; the token goes back.
    fn admits(&self, attempt: &Attempt, now: Instant) -> bool {
        match self.ask(attempt, now) {
            Admission::Admitted(charge) => !self.settle(&charge, Outcome::Withdrawn, now),
            _ => false,
        }
    }

    /// Whether it is a client that is known.
    fn knows(&self, attempt: &Attempt, now: Instant) -> bool {
        self.store.read(|tx| self.throttle.recognize(tx, attempt, now)).unwrap().known()
    }

    fn forgive(&self, principal: PrincipalId) -> u32 {
        self.store.write(|tx| tx.attempts().forgive(principal.uuid())).unwrap()
    }

    /// What a login does: asks until it is told something, waiting for its turn. `None` where it was refused.
    fn login(&self, attempt: &Attempt, outcome: Outcome, now: Instant) -> Option<Charge> {
        let mut spot = self.turns.spot();
        for _ in 0..10_000 {
            match self.ask(attempt, now) {
                Admission::Admitted(charge) => {
                    drop(spot);
                    thread::yield_now();
                    self.settle(&charge, outcome, now);
                    return Some(*charge);
                }
                Admission::Turn(turn) => spot.wait(&turn, Duration::from_hours(1)).unwrap(),
                Admission::Held { .. } => return None,
            }
        }
        panic!("its turn never came");
    }

    /// How many of these logins at once, each on a thread, are let through.
    fn crowd(&self, attempts: &[Attempt], outcome: Outcome) -> usize {
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
        assert_eq!(self.turns.waiting(), 0);
        through.into_inner()
    }
}

#[test]
fn ten_are_free_where_nobody_is_known_and_then_one_in_sixteen_minutes() {
    for who in [anna().who, Claimed::Unknown { tenant: None, name: Folded::of("nobody") }] {
        let server = server();
        let from = |network: u16| Attempt { who: who.clone(), ..anna_from(network) };
        for number in 0..10_u16 {
            server.fail(&from(number), u32::from(number)..u32::from(number) + 1, NOON);
        }
        assert_eq!(server.held(&from(99), NOON), 16 * MINUTE, "wherever it comes from");
        assert_eq!(server.held(&from(99), NOON.after(MINUTE)), 15 * MINUTE, "asking costs nothing");
        let next = NOON.after(16 * MINUTE);
        server.fail(&from(99), 99..100, next);
        assert_eq!(server.held(&from(1), next), 16 * MINUTE);
        assert!(server.admits(&from(1), next.after(16 * MINUTE)));
    }
}

#[test]
fn fifty_are_free_in_a_known_network_and_then_one_a_minute() {
    let server = server();
    server.try_at(&anna(), Outcome::Succeeded, NOON);
    server.fail(&anna(), 0..50, NOON);
    assert_eq!(server.held(&anna(), NOON), MINUTE);
    server.fail(&anna(), 50..51, NOON.after(MINUTE));
    assert_eq!(server.held(&anna(), NOON.after(MINUTE)), MINUTE);
    assert!(server.admits(&neighbour(2), NOON), "another account in the same network");
    assert!(server.admits(&anna_from(2), NOON), "the same account in another");
}

#[test]
fn five_are_free_by_a_proof_and_then_one_in_five_seconds() {
    let server = server();
    server.fail(&anna_by_proof(1, 1), 0..5, NOON);
    assert_eq!(server.held(&anna_by_proof(1, 2), NOON), 5 * SECOND, "the network is not asked");
    assert!(server.admits(&anna_by_proof(2, 1), NOON), "another proof");
    assert!(server.admits(&anna(), NOON), "no proof at all");
    server.fail(&anna_by_proof(1, 1), 5..6, NOON.after(5 * SECOND));
}

#[test]
fn after_a_hundred_in_a_day_a_proof_counts_for_nothing_for_a_day() {
    let server = server();
    let mut now = NOON;
    for number in 0..100 {
        while !server.admits(&anna_by_proof(1, 1), now) {
            now = now.after(SECOND);
        }
        assert!(server.admitted(&anna_by_proof(1, 1), now).known());
        now = now.after(31 * SECOND);
        server.fail(&anna_by_proof(1, 1), number..number + 1, now);
    }
    assert!(!server.admitted(&anna_by_proof(1, 1), now).known(), "it is a stranger's");
    assert!(!server.admitted(&anna_by_proof(1, 1), now.after(DAY).before(SECOND)).known());
    assert!(server.admitted(&anna_by_proof(1, 1), now.after(DAY)).known());
}

#[test]
fn a_wrong_password_that_is_repeated_costs_nothing_for_a_day() {
    let server = server();
    assert!(server.try_at(&guessing(&anna(), "old"), Outcome::Failed, NOON));
    for _ in 0..100 {
        assert!(!server.try_at(&guessing(&anna(), "old"), Outcome::Failed, NOON.after(DAY).before(SECOND)));
    }
    assert!(server.try_at(&guessing(&anna(), "old"), Outcome::Failed, NOON.after(DAY)));
    server.fail(&anna(), 0..9, NOON.after(DAY));
    assert_eq!(server.held(&guessing(&anna(), "old"), NOON.after(DAY)), 16 * MINUTE, "nobody learns what others tried");
    let another = guessing(&neighbour(2), "old");
    assert!(server.try_at(&another, Outcome::Failed, NOON.after(DAY)), "of another account");
}

#[test]
fn one_network_has_fifty_for_all_who_are_not_known_there_and_one_a_minute() {
    let server = server();
    server.try_at(&neighbour(200), Outcome::Succeeded, NOON);
    for byte in 0..50 {
        server.fail(&neighbour(byte), 0..1, NOON);
    }
    assert_eq!(server.held(&neighbour(99), NOON), MINUTE);
    assert!(server.admits(&neighbour(200), NOON), "who is known there is not held back");
    assert!(server.admits(&Attempt { address: None, ..neighbour(99) }, NOON), "nor who comes from elsewhere");
    server.fail(&neighbour(99), 0..1, NOON.after(MINUTE));
    assert_eq!(server.held(&neighbour(98), NOON.after(MINUTE)), MINUTE);
    let later = NOON.after(51 * MINUTE);
    for byte in 100..150 {
        server.fail(&neighbour(byte), 0..1, later);
    }
    assert_eq!(server.held(&neighbour(99), later), MINUTE, "it ages by itself");
}

#[test]
fn a_success_gives_nothing_back_but_its_own_token() {
    let server = server();
    server.fail(&anna(), 0..9, NOON);
    for _ in 0..3 {
        server.try_at(&anna_from(2), Outcome::Succeeded, NOON);
    }
    server.fail(&anna_from(3), 9..10, NOON);
    assert_eq!(server.held(&anna_from(3), NOON), 16 * MINUTE);
    assert!(server.admits(&anna_from(2), NOON), "where it succeeded it is known");
}

#[test]
fn what_is_forgiven_is_all_of_the_principal_and_nothing_else() {
    let server = server();
    server.try_at(&anna_from(9), Outcome::Succeeded, NOON);
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
fn network_that_is_refilled_has_all_its_tokens_again_and_accounts_keep_what_they_lost() {
    let server = server();
    server.fail(&anna(), 0..10, NOON);
    for byte in 10..50 {
        server.fail(&neighbour(byte), 0..1, NOON);
    }
    assert_eq!(server.held(&neighbour(99), NOON), MINUTE);
    let refill = |address: IpAddr| patiently(|| server.store.write(|tx| server.throttle.refill_network(tx, address)));
    let address = neighbour(99).address.unwrap();
    assert!(!refill("2001:db8:77::1".parse().unwrap()) && refill(address) && !refill(address));
    for byte in 100..150 {
        server.fail(&neighbour(byte), 0..1, NOON);
    }
    assert_eq!(server.held(&neighbour(99), NOON), MINUTE);
    assert_eq!(server.held(&anna(), NOON), 16 * MINUTE);
}

#[test]
fn an_account_is_known_in_the_networks_of_its_four_latest_successes() {
    let server = server();
    let known = |network: u16, now| server.knows(&anna_from(network), now);
    let mut now = NOON;
    for network in [1, 2, 3, 4, 5] {
        now = now.after(DAY);
        server.try_at(&anna_from(network), Outcome::Succeeded, now);
    }
    assert_eq!([1, 2, 3, 4, 5].map(|network| known(network, now)), [false, true, true, true, true]);
    now = now.after(DAY);
    server.try_at(&anna_from(2), Outcome::Succeeded, now);
    server.try_at(&anna_from(6), Outcome::Succeeded, now.after(SECOND));
    assert_eq!([2, 3, 4, 5, 6].map(|network| known(network, now)), [true, false, true, true, true]);
    assert!(known(2, now.after(90 * DAY)) && !known(2, now.after(90 * DAY + SECOND)));
    let other = Attempt { device: None, ..anna_from(2) };
    assert!(server.knows(&other, now), "on any device");
    assert!(!server.knows(&Attempt { who: Claimed::Principal(user(2)), ..anna_from(2) }, now));
}

#[test]
fn a_place_that_was_noted_before_networks_were_is_known_still() {
    let server = server();
    let names = server.throttle.keyring.names(&anna());
    server.store.write(|tx| tx.places().note(user(1).uuid(), &names.old_place, NOON)).unwrap();
    assert!(server.admitted(&anna(), NOON).known());
    let same_network = Attempt { address: Some(IpAddr::from([10, 0, 1, 2])), ..anna() };
    assert!(!server.admitted(&same_network, NOON).known(), "another address");
    server.try_at(&anna(), Outcome::Succeeded, NOON);
    assert!(server.admitted(&same_network, NOON).known(), "until the next success");
}

#[test]
fn a_wrong_password_or_none_makes_no_network_known() {
    let server = server();
    server.try_at(&anna(), Outcome::Failed, NOON);
    server.try_at(&anna(), Outcome::Withdrawn, NOON);
    assert!(!server.admitted(&anna(), NOON).known());
}

#[test]
fn a_withdrawn_attempt_was_no_guess() {
    let server = server();
    for known in [false, true] {
        for _ in 0..200 {
            let charge = server.admitted(&anna(), NOON);
            assert_eq!(charge.known(), known);
            assert!(!server.settle(&charge, Outcome::Withdrawn, NOON));
        }
        server.try_at(&anna(), Outcome::Succeeded, NOON);
    }
}

#[test]
fn a_password_that_was_set_a_moment_ago_is_no_guess_and_makes_its_network_known() {
    let server = server();
    server.fail(&anna_from(2), 0..10, NOON);
    let charge = server.store.write(|tx| server.throttle.recognize(tx, &anna(), NOON)).unwrap();
    assert!(!charge.known());
    server.settle(&charge, Outcome::Succeeded, NOON);
    assert!(server.admitted(&anna(), NOON).known());
    assert_eq!(server.held(&anna_from(2), NOON), 16 * MINUTE);
}

#[test]
fn tokens_of_a_process_that_is_gone_are_spent() {
    let server = server();
    let lost: Vec<Charge> = (0..10).map(|_| server.admitted(&anna(), NOON)).collect();
    let waits = |now| matches!(server.ask(&anna(), now), Admission::Turn(_));
    assert!(waits(NOON) && waits(NOON.after(30 * SECOND)));
    assert_eq!(server.held(&anna(), NOON.after(31 * SECOND)), 15 * MINUTE + 29 * SECOND);
    // One of them lived after all, and was only slow.
    let now = NOON.after(32 * SECOND);
    server.settle(&lost[0], Outcome::Succeeded, now);
    server.fail(&anna_from(2), 0..1, now);
    assert_eq!(server.held(&anna_from(2), now), 15 * MINUTE + 28 * SECOND);
}

#[test]
fn a_clock_that_was_ahead_holds_nobody_back_for_long() {
    let server = server();
    server.fail(&anna(), 0..10, NOON.after(365 * DAY));
    server.fail(&anna(), 10..20, NOON);
    assert_eq!(server.held(&anna(), NOON), 16 * MINUTE, "from then on it is counted as ever");
}
