//! The clocks that the engine asks, and when the wall clock is believed.
//!
//! A [`Clock`] tells what the machine says; a [`Timekeeper`] over it tells what time goes by, and whether that is in doubt. It
//! knows nothing of who asks: what cannot be decided while the clock is in doubt, the use cases say.

mod keeping;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tillgate_domain::Instant;
use uuid::Uuid;

use keeping::{Keeping, Reading};

/// The clocks of a machine.
pub trait Clock: Send + Sync {
    /// The wall clock. It may be wrong and it may be set.
    fn now(&self) -> Instant;

    /// Time since the machine started, its sleep included (Linux `CLOCK_BOOTTIME`, `clock_gettime(2)`). Never set, never falls.
    fn boot(&self) -> Duration;

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
pub struct Belief {
    /// Whether the wall clock says something else than time does.
    pub in_doubt: bool,
    /// How long time has gone on without a jump: since the start, or since another wall clock was last believed than before. Two
    /// instants that were taken within this span are as far apart as they say.
    pub steady: Duration,
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
    /// Milliseconds from boot to the Unix epoch's zero that are agreed; [`DOUBT`] while nothing is. The common path reads only this.
    agreed: AtomicI64,
    /// Since when, in milliseconds of boot time, it has been so.
    since: AtomicI64,
    keeping: Mutex<Keeping>,
}

/// Stands in [`Timekeeper::agreed`] while nothing is: no machine started then.
const DOUBT: i64 = i64::MIN;

/// How far the wall clock may stray from what is agreed before the common path looks twice, in milliseconds. Small moves are
/// followed that way, so that they do not add up to one that looks large.
const STRAY: i64 = 1000;

impl Timekeeper {
    /// Begins to keep time over a clock and a store of which this is the newest instant. `origin` is the instant at which the
    /// machine started, by what another process believed of its clock since that start.
    pub fn start(clock: Arc<dyn Clock>, newest: Option<Instant>, origin: Option<Instant>) -> Self {
        let keeping = Keeping::start(careful(clock.as_ref()), newest, origin);
        if let Some(doubt) = keeping.doubt {
            tell(&doubt);
        }
        let (agreed, since) = (AtomicI64::new(published(&keeping)), AtomicI64::new(keeping.since));
        Self { clock, agreed, since, keeping: Mutex::new(keeping) }
    }

    /// What time it is. Cheap enough for every request: two readings and an atomic load, unless something is amiss.
    pub fn now(&self) -> Time {
        let agreed = self.agreed.load(Ordering::Acquire);
        let reading = reading(self.clock.as_ref());
        if agreed != DOUBT && reading.origin().saturating_sub(agreed).saturating_abs() < STRAY {
            return Time { at: Instant::from_millis(reading.wall), in_doubt: false };
        }
        let mut keeping = self.lock();
        let before = keeping.doubt;
        // Taken under the lock, so that no older reading follows a newer one.
        let time = keeping.step(careful(self.clock.as_ref()));
        self.publish(&keeping);
        match (before, keeping.doubt) {
            (None, Some(doubt)) => tell(&doubt),
            (Some(_), None) => tracing::info!(at = time.at.millis(), "the wall clock is believed again"),
            (None, None) | (Some(_), Some(_)) => {}
        }
        time
    }

    /// Believes the wall clock as it is: somebody has looked at it.
    pub fn accept(&self) {
        let mut keeping = self.lock();
        keeping.accept(careful(self.clock.as_ref()));
        self.publish(&keeping);
        drop(keeping);
        tracing::info!("the wall clock was accepted");
    }

    /// The instant at which the machine started, by its wall clock; `None` while that is in doubt.
    pub fn origin(&self) -> Option<Instant> {
        let in_doubt = self.now().in_doubt;
        let keeping = self.lock();
        (!in_doubt && keeping.doubt.is_none()).then(|| Instant::from_millis(keeping.agreed))
    }

    /// How far the wall clock is believed.
    pub fn belief(&self) -> Belief {
        let in_doubt = self.now().in_doubt;
        let span = millis(self.clock.boot()).saturating_sub(self.since.load(Ordering::Acquire));
        Belief { in_doubt, steady: Duration::from_millis(u64::try_from(span).unwrap_or_default()) }
    }

    /// The clocks below, for spans and deadlines.
    pub fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }

    fn publish(&self, keeping: &Keeping) {
        self.since.store(keeping.since, Ordering::Release);
        self.agreed.store(published(keeping), Ordering::Release);
    }

    fn lock(&self) -> MutexGuard<'_, Keeping> {
        // Nothing panics between the writes of one step: what a poisoned lock guards is whole.
        self.keeping.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn published(keeping: &Keeping) -> i64 {
    if keeping.doubt.is_some() { DOUBT } else { keeping.agreed }
}

fn tell(doubt: &keeping::Doubt) {
    match doubt.reason {
        keeping::Reason::Moved => tracing::warn!("the wall clock has moved against boot time and is in doubt"),
        keeping::Reason::Behind => tracing::warn!("the wall clock is behind the store and is in doubt"),
    }
}

fn reading(clock: &dyn Clock) -> Reading {
    let boot = clock.boot();
    Reading { wall: clock.now().millis(), boot: millis(boot) }
}

/// A reading of both clocks that was not torn apart by a pause between the two, which would look like a move.
fn careful(clock: &dyn Clock) -> Reading {
    const PAUSE: i64 = 100;
    const TRIES: usize = 8;
    let mut latest = reading(clock);
    for _ in 0..TRIES {
        if millis(clock.boot()).saturating_sub(latest.boot) <= PAUSE {
            break;
        }
        latest = reading(clock);
    }
    latest
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
