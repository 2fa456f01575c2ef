//! The clocks and the random bytes of the operating system. Only this module reads them; everything
//! else uses the ports [`Clock`] and [`Entropy`].

#![allow(clippy::disallowed_methods, reason = "these are the adapters that the ban sends everything else to")]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ring::rand::{SecureRandom, SystemRandom};
use tillgate_domain::Instant;
use uuid::Uuid;

use crate::clock::Clock;
use crate::entropy::{Entropy, EntropyError};

/// The clocks of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        Instant::from_millis(match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(span) => millis(span),
            Err(before) => -millis(before.duration()),
        })
    }

    fn since_boot(&self) -> Duration {
        since_boot()
    }

    fn monotonic(&self) -> Duration {
        since_start()
    }

    fn boot_id(&self) -> Option<Uuid> {
        boot_id()
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn boot_id() -> Option<Uuid> {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Uuid::try_parse(text.trim()).ok()
}

/// On these systems, the time since boot is the time since the start of the process, which cannot
/// be compared with other processes.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn boot_id() -> Option<Uuid> {
    None
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn since_boot() -> Duration {
    read_clock(rustix::time::ClockId::Boottime)
}

/// The monotonic clock of macOS includes sleep. On other systems, a sleep of more than a minute
/// looks like a move of the wall clock, which is then in doubt for ten minutes.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn since_boot() -> Duration {
    since_start()
}

#[cfg(unix)]
fn since_start() -> Duration {
    read_clock(rustix::time::ClockId::Monotonic)
}

#[cfg(not(unix))]
fn since_start() -> Duration {
    static START: std::sync::LazyLock<std::time::Instant> = std::sync::LazyLock::new(std::time::Instant::now);
    START.elapsed()
}

#[cfg(unix)]
fn read_clock(clock: rustix::time::ClockId) -> Duration {
    let time = rustix::time::clock_gettime(clock);
    // Neither clock is negative, and the nanoseconds are less than a second (`clock_gettime(2)`).
    Duration::new(u64::try_from(time.tv_sec).unwrap_or_default(), u32::try_from(time.tv_nsec).unwrap_or_default())
}

/// The random number generator of the operating system, through ring.
#[derive(Clone, Debug)]
pub struct SystemEntropy(SystemRandom);

impl Default for SystemEntropy {
    fn default() -> Self {
        Self(SystemRandom::new())
    }
}

impl SystemEntropy {
    /// The random number generator of the operating system.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Entropy for SystemEntropy {
    fn fill(&self, out: &mut [u8]) -> Result<(), EntropyError> {
        self.0.fill(out).map_err(|_| EntropyError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2020-01-01T00:00:00Z.
    const LONG_AGO: Instant = Instant::from_millis(1_577_836_800_000);

    #[test]
    fn system_clocks_move_forward() {
        let clock = SystemClock;
        assert!(clock.now() > LONG_AGO, "milliseconds since 1970");
        let (boot, monotonic) = (clock.since_boot(), clock.monotonic());
        assert!(clock.since_boot() >= boot && clock.monotonic() >= monotonic);
        assert!(boot > Duration::ZERO);
        assert_eq!(clock.boot_id(), SystemClock.boot_id(), "the machine has not restarted");
        #[cfg(target_os = "linux")]
        assert!(clock.boot_id().is_some_and(|id| !id.is_nil()));
    }

    #[test]
    fn random_bytes_differ() {
        let entropy: &dyn Entropy = &SystemEntropy::new();
        let (one, two) = (entropy.random_bytes::<32>().unwrap(), entropy.random_bytes::<32>().unwrap());
        assert_ne!(one, two);
        assert_ne!(one, [0; 32]);
    }
}
