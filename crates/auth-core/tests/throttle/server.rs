//! A server whose throttle the tests try: a throttle over a store, and the logins of a user and of
//! others.

use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use tillgate_auth_core::AuthPorts;
use tillgate_auth_core::throttle::{
    Admission, AttemptOutcome, Charge, ClaimedIdentity, LoginAttempt, LoginQueue, PriorSession, Throttle,
    ThrottleLimits,
};
use tillgate_domain::{DeviceId, Instant, PrincipalId, Secret, Store, StoreError, StoreExt, StoreResult, UserId};
use tillgate_test_store::TestStore;

/// The key under which the throttle of these tests counts.
pub(crate) const KEY: [u8; 32] = [7; 32];

pub(crate) const NOON: Instant = Instant::from_millis(1_800_014_400_000);
pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const MINUTE: Duration = Duration::from_mins(1);
pub(crate) const DAY: Duration = Duration::from_hours(24);

/// A server: a throttle over a store.
pub(crate) struct Server {
    pub(crate) store: Arc<dyn Store<AuthPorts>>,
    pub(crate) throttle: Throttle,
    pub(crate) turns: LoginQueue,
}

pub(crate) fn server() -> Server {
    over(Arc::new(TestStore::new()))
}

pub(crate) fn over(store: Arc<dyn Store<AuthPorts>>) -> Server {
    Server { store, throttle: Throttle::new(&KEY, ThrottleLimits::default()), turns: LoginQueue::new(256) }
}

pub(crate) fn user(byte: u8) -> PrincipalId {
    PrincipalId::User(UserId::new(NOON, [byte; 10]))
}

pub(crate) fn password(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

/// Anna, from the network with this number.
pub(crate) fn anna_from(network: u16) -> LoginAttempt {
    let [high, low] = network.to_be_bytes();
    LoginAttempt {
        identity: ClaimedIdentity::Principal(user(1)),
        device: Some(DeviceId::new(NOON, [2; 10])),
        address: Some(IpAddr::from([10, high, low, 1])),
        prior_session: None,
        password: password("right"),
    }
}

pub(crate) fn anna() -> LoginAttempt {
    anna_from(1)
}

/// Another user on the same network.
pub(crate) fn neighbor(byte: u8) -> LoginAttempt {
    LoginAttempt { identity: ClaimedIdentity::Principal(user(byte)), ..anna() }
}

/// Anna with a refresh token of her session on the device with this number.
pub(crate) fn anna_by_proof(device: u8, network: u16) -> LoginAttempt {
    let prior =
        PriorSession { user: Some(UserId::new(NOON, [1; 10])), device: Some(DeviceId::new(NOON, [device; 10])) };
    LoginAttempt { prior_session: Some(prior), ..anna_from(network) }
}

pub(crate) fn guessing<G: ToString + ?Sized>(attempt: &LoginAttempt, guess: &G) -> LoginAttempt {
    LoginAttempt { password: password(&guess.to_string()), ..attempt.clone() }
}

/// On a busy machine, concurrent calls may wait for the store longer than it allows.
pub(crate) fn retry_while_unavailable<T>(work: impl Fn() -> StoreResult<T>) -> T {
    loop {
        match work() {
            Err(StoreError::Unavailable(_)) => {}
            done => return done.unwrap(),
        }
    }
}

impl Server {
    pub(crate) fn open_charge(&self, attempt: &LoginAttempt, now: Instant) -> Admission {
        retry_while_unavailable(|| self.store.write("test", |tx| self.throttle.open_charge(tx, attempt, now)))
    }

    pub(crate) fn admit(&self, attempt: &LoginAttempt, now: Instant) -> Charge {
        match self.open_charge(attempt, now) {
            Admission::Admitted(charge) => *charge,
            other => panic!("not admitted: {other:?}"),
        }
    }

    /// Whether it counted as a wrong password.
    pub(crate) fn settle(&self, charge: &Charge, outcome: AttemptOutcome, now: Instant) -> bool {
        let counted = retry_while_unavailable(|| {
            self.store.write("test", |tx| self.throttle.settle_charge(tx, charge, outcome, now))
        });
        self.turns.notify_settled(charge);
        counted
    }

    pub(crate) fn try_at(&self, attempt: &LoginAttempt, outcome: AttemptOutcome, now: Instant) -> bool {
        let charge = self.admit(attempt, now);
        self.settle(&charge, outcome, now)
    }

    /// Tries the wrong passwords with these numbers.
    pub(crate) fn fail(&self, attempt: &LoginAttempt, numbers: std::ops::Range<u32>, now: Instant) {
        for number in numbers {
            assert!(self.try_at(&guessing(attempt, &number), AttemptOutcome::Failed, now), "guess {number}");
        }
    }

    pub(crate) fn retry_after(&self, attempt: &LoginAttempt, now: Instant) -> Duration {
        match self.open_charge(attempt, now) {
            Admission::RateLimited { retry_after } => retry_after,
            other => panic!("not rate limited: {other:?}"),
        }
    }

    /// Whether it is admitted; returns the token.
    pub(crate) fn admits(&self, attempt: &LoginAttempt, now: Instant) -> bool {
        match self.open_charge(attempt, now) {
            Admission::Admitted(charge) => !self.settle(&charge, AttemptOutcome::Withdrawn, now),
            _ => false,
        }
    }

    /// Whether the client is known.
    pub(crate) fn knows(&self, attempt: &LoginAttempt, now: Instant) -> bool {
        self.store.read("test", |tx| self.throttle.classify(tx, attempt, now)).unwrap().is_known()
    }

    pub(crate) fn forgive(&self, principal: PrincipalId) -> u32 {
        self.store.write("test", |tx| tx.attempts().clear_failed_logins(principal.uuid())).unwrap()
    }

    /// Waits for a turn as a login does, until it is admitted or denied. `None` if it was denied.
    pub(crate) fn login(&self, attempt: &LoginAttempt, outcome: AttemptOutcome, now: Instant) -> Option<Charge> {
        let mut spot = self.turns.new_slot();
        for _ in 0..10_000 {
            match self.open_charge(attempt, now) {
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
    pub(crate) fn count_concurrent_logins(&self, attempts: &[LoginAttempt], outcome: AttemptOutcome) -> usize {
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
