//! The throttle over the store in memory: what people and guessers meet, step by step and all at once.

mod crowds;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;

use tillgate_domain::{Store, StoreError, StoreExt, UserId};

use super::*;
use crate::Memory;
use crate::ports::AuthView;

const NOON: Instant = Instant::from_millis(1_800_014_400_000);
const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_hours(24);

/// A server: a throttle over a store, without jitter.
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

fn anna() -> Attempt {
    Attempt {
        who: Claimed::Principal(user(1)),
        device: Some(DeviceId::new(NOON, [2; 10])),
        address: Some(IpAddr::from([192, 0, 2, 1])),
    }
}

/// Anna on another device, from nowhere: no address counts.
fn anna_on(number: u8) -> Attempt {
    Attempt { device: Some(DeviceId::new(NOON, [number; 10])), address: None, ..anna() }
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
        patiently(|| self.store.write(|tx| self.throttle.admit(tx, attempt, now, 0)))
    }

    fn admitted(&self, attempt: &Attempt, now: Instant) -> Charge {
        match self.ask(attempt, now) {
            Admission::Admitted(charge) => charge,
            other => panic!("not admitted: {other:?}"),
        }
    }

    fn settle(&self, charge: &Charge, outcome: Outcome, now: Instant) {
        patiently(|| self.store.write(|tx| self.throttle.settle(tx, charge, outcome, now)));
        self.turns.settled(charge);
    }

    fn try_at(&self, attempt: &Attempt, outcome: Outcome, now: Instant) {
        let charge = self.admitted(attempt, now);
        self.settle(&charge, outcome, now);
    }

    fn held(&self, attempt: &Attempt, now: Instant) -> Duration {
        match self.ask(attempt, now) {
            Admission::Held { retry_after } => retry_after,
            other => panic!("not held: {other:?}"),
        }
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
                    return Some(charge);
                }
                Admission::Turn(key) => spot.wait(key, Duration::from_hours(1)).unwrap(),
                Admission::Held { .. } | Admission::Stopped => return None,
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
fn five_are_free_and_then_each_waits_twice_as_long() {
    let server = server();
    for _ in 0..5 {
        server.try_at(&anna(), Outcome::Failed, NOON);
    }
    let mut now = NOON;
    for seconds in [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300] {
        let wait = Duration::from_secs(seconds);
        assert_eq!(server.held(&anna(), now), wait);
        assert_eq!(server.held(&anna(), now.after(wait / 2)), wait / 2, "asking costs nothing");
        now = now.after(wait);
        server.try_at(&anna(), Outcome::Failed, now);
    }
    server.try_at(&Attempt { who: Claimed::Principal(user(9)), ..anna() }, Outcome::Failed, now);
    server.try_at(&Attempt { device: None, ..anna() }, Outcome::Failed, now);
    now = now.after(300 * SECOND);
    server.try_at(&anna(), Outcome::Succeeded, now);
    for _ in 0..5 {
        server.try_at(&anna(), Outcome::Failed, now);
    }
    assert_eq!(server.held(&anna(), now), SECOND, "a success begins anew");
}

#[test]
fn an_unknown_name_meets_the_same() {
    let server = server();
    let nobody = |name| Attempt { who: Claimed::Unknown { tenant: None, name: Folded::of(name) }, ..anna() };
    for _ in 0..5 {
        server.try_at(&nobody("nobody"), Outcome::Failed, NOON);
    }
    assert_eq!(server.held(&nobody(" NoBody"), NOON), SECOND);
    server.try_at(&nobody("somebody"), Outcome::Failed, NOON);
    let mut now = NOON;
    for device in 0..95 {
        now = now.after(DAY);
        let attempt = Attempt { device: Some(DeviceId::new(NOON, [device; 10])), address: None, ..nobody("nobody") };
        server.try_at(&attempt, Outcome::Failed, now);
    }
    assert!(matches!(server.ask(&Attempt { device: None, ..nobody("nobody") }, now.after(DAY)), Admission::Stopped));
}

#[test]
fn fifty_of_an_address_are_free_whoever_they_claim_to_be() {
    let server = server();
    let guess = |byte| Attempt { who: Claimed::Principal(user(byte)), ..anna() };
    for byte in 0..50 {
        server.try_at(&guess(byte), Outcome::Failed, NOON);
    }
    assert_eq!(server.held(&guess(99), NOON), SECOND);
    let elsewhere = Attempt { address: Some(IpAddr::from([192, 0, 2, 2])), ..guess(99) };
    server.try_at(&elsewhere, Outcome::Failed, NOON);
    let now = NOON.after(SECOND);
    server.try_at(&guess(98), Outcome::Succeeded, now);
    server.try_at(&guess(97), Outcome::Failed, now);
    assert_eq!(server.held(&guess(99), now), 2 * SECOND, "one success does not clear an address");
}

#[test]
fn a_hundred_in_a_row_stop_until_they_are_forgiven() {
    let server = server();
    for device in 0..100 {
        server.try_at(&anna_on(device), Outcome::Failed, NOON);
    }
    for now in [NOON, NOON.after(365 * DAY)] {
        assert!(matches!(server.ask(&anna_on(200), now), Admission::Stopped));
        assert!(matches!(server.ask(&anna_on(1), now), Admission::Stopped));
    }
    let forgiven = server.store.write(|tx| tx.attempts().forgive(user(1).uuid())).unwrap();
    assert_eq!(forgiven, 101, "at each of the hundred places, and the principal's own");
    server.try_at(&anna_on(1), Outcome::Failed, NOON);
}

#[test]
fn what_is_forgiven_is_all_of_the_principal_and_nothing_else() {
    let server = server();
    server.try_at(&anna(), Outcome::Succeeded, NOON);
    let forgive = || server.store.write(|tx| tx.attempts().forgive(user(1).uuid())).unwrap();
    forgive();
    let mut now = NOON;
    for _ in 0..100 {
        now = now.after(30 * SECOND);
        server.try_at(&anna(), Outcome::Failed, now);
    }
    assert!(matches!(server.ask(&anna_on(3), now), Admission::Stopped));
    assert_eq!(forgive(), 2, "at the known place, and the principal's own");
    server.try_at(&anna_on(3), Outcome::Failed, now);
    let neighbour = Attempt { who: Claimed::Principal(user(5)), ..anna() };
    assert_eq!(server.held(&neighbour, now), 300 * SECOND, "the address is nobody's to be forgiven");
}

#[test]
fn a_hundred_that_are_not_in_a_row_do_not_stop() {
    let server = server();
    for device in 0..99 {
        server.try_at(&anna_on(device), Outcome::Failed, NOON);
    }
    server.try_at(&anna_on(100), Outcome::Succeeded, NOON);
    for device in 101..200 {
        server.try_at(&anna_on(device), Outcome::Failed, NOON);
    }
    server.try_at(&anna_on(100), Outcome::Succeeded, NOON);
    server.try_at(&anna_on(201), Outcome::Failed, NOON);
}

#[test]
fn a_known_place_is_held_back_by_its_own_failures_alone() {
    let server = server();
    server.try_at(&anna(), Outcome::Succeeded, NOON);
    let mut now = NOON;
    // Others guess: at the same till, from the same address, and Anna's password elsewhere.
    for byte in 0..100 {
        now = now.after(DAY / 2);
        server.try_at(&Attempt { who: Claimed::Principal(user(byte + 10)), ..anna() }, Outcome::Failed, now);
        server.try_at(&anna_on(byte + 10), Outcome::Failed, now);
    }
    assert!(matches!(server.ask(&anna_on(3), now), Admission::Stopped));
    assert_eq!(server.held(&Attempt { who: Claimed::Principal(user(5)), ..anna() }, now), 300 * SECOND);
    let charge = server.admitted(&anna(), now);
    assert!(charge.known());
    server.settle(&charge, Outcome::Failed, now);
    for _ in 0..4 {
        server.try_at(&anna(), Outcome::Failed, now);
    }
    for seconds in [1, 2, 4, 8, 16, 30, 30] {
        assert_eq!(server.held(&anna(), now), Duration::from_secs(seconds));
        now = now.after(Duration::from_secs(seconds));
        server.try_at(&anna(), Outcome::Failed, now);
    }
}

#[test]
fn what_a_known_place_fails_counts_for_the_principal_and_the_address() {
    let server = server();
    server.try_at(&anna(), Outcome::Succeeded, NOON);
    let mut now = NOON;
    for _ in 0..100 {
        now = now.after(30 * SECOND);
        server.try_at(&anna(), Outcome::Failed, now);
    }
    assert!(matches!(server.ask(&anna_on(3), now), Admission::Stopped));
    assert_eq!(server.held(&Attempt { who: Claimed::Principal(user(5)), ..anna() }, now), 300 * SECOND);
    now = now.after(30 * SECOND);
    server.try_at(&anna(), Outcome::Succeeded, now);
    server.try_at(&anna_on(3), Outcome::Failed, now);
}

#[test]
fn a_place_is_known_for_ninety_days_after_the_last_success() {
    let server = server();
    server.try_at(&anna(), Outcome::Succeeded, NOON);
    let late = NOON.after(60 * DAY);
    server.try_at(&anna(), Outcome::Succeeded, late);
    assert!(server.admitted(&anna(), late.after(90 * DAY)).known());
    let forgotten = late.after(90 * DAY + SECOND);
    assert!(!server.admitted(&anna(), forgotten.after(DAY)).known());
    assert!(!server.admitted(&Attempt { device: None, ..anna() }, late).known(), "another place");
    assert!(!server.admitted(&Attempt { who: Claimed::Principal(user(2)), ..anna() }, late).known(), "another person");
}

#[test]
fn a_wrong_password_or_none_makes_no_place_known() {
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
            server.settle(&charge, Outcome::Withdrawn, NOON);
        }
        server.try_at(&anna(), Outcome::Succeeded, NOON);
    }
}

#[test]
fn charges_of_a_process_that_is_gone_become_failures() {
    let server = server();
    let lost: Vec<Charge> = (0..5).map(|_| server.admitted(&anna(), NOON)).collect();
    let waits = |now| matches!(server.ask(&anna(), now), Admission::Turn(_));
    assert!(waits(NOON) && waits(NOON.after(30 * SECOND)));
    let now = NOON.after(31 * SECOND);
    server.try_at(&anna(), Outcome::Failed, now);
    assert_eq!(server.held(&anna(), now), 2 * SECOND, "six failures stand");
    // One of them lived after all, and was only slow.
    server.settle(&lost[0], Outcome::Succeeded, now);
    server.try_at(&anna(), Outcome::Failed, now);
}

#[test]
fn a_clock_that_was_ahead_holds_nobody_back_for_long() {
    let server = server();
    let wrong = NOON.after(365 * DAY);
    for _ in 0..9 {
        server
            .store
            .write(|tx| {
                let key = server.throttle.keyring.names(&anna()).pair;
                tx.attempts().charge(key, None, &Count::default(), wrong)?;
                tx.attempts().settle(key, Settled::Failed, wrong)
            })
            .unwrap();
    }
    server.try_at(&anna(), Outcome::Failed, NOON);
    assert_eq!(server.held(&anna(), NOON), 32 * SECOND, "and from then on it is counted as ever");
}
