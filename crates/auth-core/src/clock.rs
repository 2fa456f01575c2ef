//! The clocks that the engine asks, and when the wall clock is believed.
//!
//! A [`Clock`] tells what the machine says; a [`Timekeeper`] over it tells what time goes by, and whether that is in doubt. It
//! knows nothing of who asks: what cannot be decided while the clock is in doubt, the use cases say.

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
    /// The wall clock. It may be wrong and it may be set.
    fn now(&self) -> Instant;

    /// Time since the machine started, its sleep included (Linux `CLOCK_BOOTTIME`, `clock_gettime(2)`). Never set, never falls.
    fn since_boot(&self) -> Duration;

    /// Time since some moment of the past, for spans and deadlines within this process. Never set, never falls.
    fn monotonic(&self) -> Duration;

    /// Which start of the machine this is, where that is known: no two starts of any machine have the same (Linux
    /// `/proc/sys/kernel/random/boot_id`, `random(4)`). Containers on one machine share it, and its time since boot.
    fn boot_id(&self) -> Option<Uuid> {
        None
    }
}

/// What time it is, as far as that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time {
    /// The instant to reckon with: the wall clock's, or while that is in doubt the last that was agreed, gone on by boot time.
    pub at: Instant,
    /// Whether the wall clock says something else, and has not yet been believed.
    pub in_doubt: bool,
}

/// How far the wall clock is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockConfidence {
    /// Whether the wall clock says something else than time does.
    pub in_doubt: bool,
    /// How long time has gone on without a jump: since the start, or since another wall clock was last believed than before. Two
    /// instants that were taken within this span are as far apart as they say.
    pub steady_for: Duration,
}

/// Believes the wall clock as long as it keeps step with the time since boot.
///
/// It comes into doubt when it has moved by over a minute against boot time, also while no process ran, or where it is at start
/// over a minute behind the newest instant of the store. Time then goes on from the last that was agreed, by boot time, until the wall clock has stood for
/// ten minutes (each further move of over a minute begins them anew), until somebody accepts it ([`accept`](Self::accept)), or
/// until the reason is gone: a clock that moved has come back, one that was behind the store is so no longer. So a newest instant
/// that a clock wrote which ran ahead holds the clock in doubt for ten minutes and no longer.
pub struct Timekeeper {
    clock: Arc<dyn Clock>,
    /// Milliseconds from boot to the Unix epoch's zero that are agreed; [`IN_DOUBT_SENTINEL`] while nothing is. The common path reads only this.
    agreed_origin: AtomicI64,
    /// Since when, in milliseconds of boot time, it has been so.
    agreed_since: AtomicI64,
    state: Mutex<ClockState>,
}

/// Stands in [`Timekeeper::agreed`] while nothing is: no machine started then.
const IN_DOUBT_SENTINEL: i64 = i64::MIN;

/// How far the wall clock may stray from what is agreed before the common path looks twice, in milliseconds. Small moves are
/// followed that way, so that they do not add up to one that looks large.
const MAX_FAST_PATH_DRIFT_MILLIS: i64 = 1000;

impl Timekeeper {
    /// Begins to keep time over a clock and a store of which this is the newest instant. `origin` is the instant at which the
    /// machine started, by what another process believed of its clock since that start.
    pub fn start(clock: Arc<dyn Clock>, newest: Option<Instant>, origin: Option<Instant>) -> Self {
        let keeping = ClockState::start(read_clock_steadily(clock.as_ref()), newest, origin);
        if let Some(doubt) = keeping.doubt {
            log_doubt(&doubt);
        }
        let (agreed, since) = (AtomicI64::new(published_origin(&keeping)), AtomicI64::new(keeping.agreed_since));
        Self { clock, agreed_origin: agreed, agreed_since: since, state: Mutex::new(keeping) }
    }

    /// What time it is. Cheap enough for every request: two readings and an atomic load, unless something is amiss.
    pub fn now(&self) -> Time {
        let agreed = self.agreed_origin.load(Ordering::Acquire);
        let reading = read_clock(self.clock.as_ref());
        if agreed != IN_DOUBT_SENTINEL
            && reading.origin().saturating_sub(agreed).saturating_abs() < MAX_FAST_PATH_DRIFT_MILLIS
        {
            return Time { at: Instant::from_millis(reading.wall), in_doubt: false };
        }
        let mut keeping = self.lock();
        let before = keeping.doubt;
        // Taken under the lock, so that no older reading follows a newer one.
        let time = keeping.step(read_clock_steadily(self.clock.as_ref()));
        self.publish(&keeping);
        match (before, keeping.doubt) {
            (None, Some(doubt)) => log_doubt(&doubt),
            (Some(_), None) => tracing::info!(at = time.at.millis(), "the wall clock is believed again"),
            (None, None) | (Some(_), Some(_)) => {}
        }
        time
    }

    /// Believes the wall clock as it is: somebody has looked at it.
    pub fn accept(&self) {
        let mut keeping = self.lock();
        keeping.accept(read_clock_steadily(self.clock.as_ref()));
        self.publish(&keeping);
        drop(keeping);
        tracing::info!("the wall clock was accepted");
    }

    /// The instant at which the machine started, by its wall clock; `None` while that is in doubt.
    pub fn origin(&self) -> Option<Instant> {
        let in_doubt = self.now().in_doubt;
        let keeping = self.lock();
        (!in_doubt && keeping.doubt.is_none()).then(|| Instant::from_millis(keeping.agreed_origin))
    }

    /// How far the wall clock is believed.
    pub fn confidence(&self) -> ClockConfidence {
        let in_doubt = self.now().in_doubt;
        let span = millis(self.clock.since_boot()).saturating_sub(self.agreed_since.load(Ordering::Acquire));
        ClockConfidence { in_doubt, steady_for: Duration::from_millis(u64::try_from(span).unwrap_or_default()) }
    }

    /// The clocks below, for spans and deadlines.
    pub fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }

    fn publish(&self, keeping: &ClockState) {
        self.agreed_since.store(keeping.agreed_since, Ordering::Release);
        self.agreed_origin.store(published_origin(keeping), Ordering::Release);
    }

    fn lock(&self) -> MutexGuard<'_, ClockState> {
        // Nothing panics between the writes of one step: what a poisoned lock guards is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn published_origin(keeping: &ClockState) -> i64 {
    if keeping.doubt.is_some() { IN_DOUBT_SENTINEL } else { keeping.agreed_origin }
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

/// A reading of both clocks that was not torn apart by a pause between the two, which would look like a move.
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
