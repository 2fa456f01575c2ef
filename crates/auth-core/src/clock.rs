//! The clocks of the machine, and whether the wall clock is trusted.
//!
//! A [`Clock`] reads the clocks of the machine. A [`Timekeeper`] keeps time over it and detects
//! when the wall clock was set. It does not know its callers: the use cases decide what to do while
//! the clock is in doubt.

mod state;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tillgate_domain::Instant;
use uuid::Uuid;

use state::{ClockReading, ClockState};

/// The clocks of a machine.
pub trait Clock: Send + Sync {
    /// The wall clock. It may be wrong, and it may be set.
    fn now(&self) -> Instant;

    /// The time since the machine started, including suspended time (Linux `CLOCK_BOOTTIME`,
    /// `clock_gettime(2)`). It is never set and never decreases.
    fn since_boot(&self) -> Duration;

    /// The time since some instant in the past, for durations and deadlines within this process. It
    /// is never set and never decreases.
    fn monotonic(&self) -> Duration;

    /// Identifies the current start of the machine, if that is known. No two starts of any machine
    /// have the same id (Linux `/proc/sys/kernel/random/boot_id`, `random(4)`). Containers on one
    /// machine share it, and its time since boot.
    fn boot_id(&self) -> Option<Uuid> {
        None
    }
}

/// The current time, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time {
    /// The instant to use: that of the wall clock, or, while that is in doubt, the last trusted one
    /// plus the boot time since.
    pub at: Instant,
    /// Whether the wall clock deviates and is not trusted yet.
    pub in_doubt: bool,
}

/// How far the wall clock is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockConfidence {
    /// Whether the wall clock deviates from the time that is kept.
    pub in_doubt: bool,
    /// How long time has passed without a jump: since the start, or since the wall clock was last
    /// trusted again. Two instants within this span are as far apart as they say.
    pub steady_for: Duration,
}

/// Keeps time: trusts the wall clock as long as it moves with the time since boot.
///
/// The wall clock is in doubt after it has moved by more than a minute against boot time (also
/// while no process ran), or if it is more than a minute behind the newest instant in the store at
/// the start. Time then continues from the last trusted instant with boot time, until the wall
/// clock has been steady for ten minutes (each further move of more than a minute restarts them),
/// until somebody accepts it ([`accept`](Self::accept)), or until the reason is gone: a clock that
/// moved has returned, one that was behind the store has caught up. An instant in the store from a
/// clock that ran ahead therefore causes ten minutes of doubt and no more.
pub struct Timekeeper {
    clock: Arc<dyn Clock>,
    /// The trusted difference of wall clock and boot time, in milliseconds, or
    /// [`IN_DOUBT_SENTINEL`]. The fast path reads only this.
    agreed_origin: AtomicI64,
    /// Since when it has been trusted, in milliseconds of boot time.
    agreed_since: AtomicI64,
    state: Mutex<ClockState>,
}

/// The value of [`Timekeeper::agreed_origin`] while the clock is in doubt; no machine started at
/// that instant.
const IN_DOUBT_SENTINEL: i64 = i64::MIN;

/// How far the wall clock may drift from the trusted difference before the fast path leaves it to
/// the slow path, in milliseconds. The slow path follows small moves, so that they do not add up to
/// one that looks large.
const MAX_FAST_PATH_DRIFT_MILLIS: i64 = 1000;

impl Timekeeper {
    /// Starts to keep time over a clock and a store with this newest instant. `origin` is the
    /// instant at which the machine started, as another process has trusted it since that start.
    pub fn start(clock: Arc<dyn Clock>, newest: Option<Instant>, origin: Option<Instant>) -> Self {
        let state = ClockState::start(read_clock_steadily(clock.as_ref()), newest, origin);
        if let Some(doubt) = state.doubt {
            log_doubt(&doubt);
        }
        let (agreed, since) = (AtomicI64::new(published_origin(&state)), AtomicI64::new(state.agreed_since));
        Self { clock, agreed_origin: agreed, agreed_since: since, state: Mutex::new(state) }
    }

    /// The current time. Fast enough for every request: two clock readings and an atomic load while
    /// the clock is trusted.
    pub fn now(&self) -> Time {
        let agreed = self.agreed_origin.load(Ordering::Acquire);
        let reading = read_clock(self.clock.as_ref());
        if agreed != IN_DOUBT_SENTINEL
            && reading.origin().saturating_sub(agreed).saturating_abs() < MAX_FAST_PATH_DRIFT_MILLIS
        {
            return Time { at: Instant::from_millis(reading.wall), in_doubt: false };
        }
        let mut state = self.lock();
        let before = state.doubt;
        // Read under the lock, so that no older reading follows a newer one.
        let time = state.step(read_clock_steadily(self.clock.as_ref()));
        self.publish(&state);
        match (before, state.doubt) {
            (None, Some(doubt)) => log_doubt(&doubt),
            (Some(_), None) => tracing::info!(at = time.at.millis(), "the wall clock is trusted again"),
            (None, None) | (Some(_), Some(_)) => {}
        }
        time
    }

    /// Trusts the wall clock as it is, because an operator has checked it.
    pub fn accept(&self) {
        let mut state = self.lock();
        state.accept(read_clock_steadily(self.clock.as_ref()));
        self.publish(&state);
        drop(state);
        tracing::info!("the wall clock was accepted");
    }

    /// The instant at which the machine started, by its wall clock; `None` while that is in doubt.
    pub fn origin(&self) -> Option<Instant> {
        let in_doubt = self.now().in_doubt;
        let state = self.lock();
        (!in_doubt && state.doubt.is_none()).then(|| Instant::from_millis(state.agreed_origin))
    }

    /// Whether, and since when, the wall clock is trusted.
    pub fn confidence(&self) -> ClockConfidence {
        let in_doubt = self.now().in_doubt;
        let span = millis(self.clock.since_boot()).saturating_sub(self.agreed_since.load(Ordering::Acquire));
        ClockConfidence { in_doubt, steady_for: Duration::from_millis(u64::try_from(span).unwrap_or_default()) }
    }

    /// The clocks of the machine, for durations and deadlines.
    pub fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }

    fn publish(&self, state: &ClockState) {
        self.agreed_since.store(state.agreed_since, Ordering::Release);
        self.agreed_origin.store(published_origin(state), Ordering::Release);
    }

    fn lock(&self) -> MutexGuard<'_, ClockState> {
        // Nothing panics during a step, so the state behind a poisoned lock is consistent.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn published_origin(state: &ClockState) -> i64 {
    if state.doubt.is_some() { IN_DOUBT_SENTINEL } else { state.agreed_origin }
}

fn log_doubt(doubt: &state::ClockDoubt) {
    match doubt.reason {
        state::DoubtReason::Moved => tracing::warn!("the wall clock has moved against boot time and is in doubt"),
        state::DoubtReason::Behind => tracing::warn!("the wall clock is behind the store and is in doubt"),
    }
}

fn read_clock(clock: &dyn Clock) -> ClockReading {
    let boot = clock.since_boot();
    ClockReading { wall: clock.now().millis(), boot: millis(boot) }
}

/// Reads both clocks without a pause between the two readings, which would look like a move.
fn read_clock_steadily(clock: &dyn Clock) -> ClockReading {
    const MAX_PAUSE_MILLIS: i64 = 100;
    const MAX_TRIES: usize = 8;
    let mut latest = read_clock(clock);
    for _ in 0..MAX_TRIES {
        if millis(clock.since_boot()).saturating_sub(latest.boot) <= MAX_PAUSE_MILLIS {
            break;
        }
        latest = read_clock(clock);
    }
    latest
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
