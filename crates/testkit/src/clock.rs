//! A clock for tests that moves only when a test moves it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tillgate_auth_core::clock::Clock;
use tillgate_domain::Instant;
use uuid::Uuid;

/// The wall time at which [`ManualClock::default`] starts: 2026-11-21T09:00:00Z.
pub const CLOCK_START: Instant = Instant::from_millis(1_795_251_600_000);

/// A clock that is moved by hand. Its readings are shared by everyone who holds the same clock.
#[derive(Debug)]
pub struct ManualClock {
    readings: Mutex<ClockReadings>,
}

#[derive(Debug)]
struct ClockReadings {
    wall: Instant,
    /// Time since the machine started.
    boot: Duration,
    monotonic: Duration,
    /// Identifies this start of the machine.
    boot_id: Uuid,
}

impl ManualClock {
    /// A clock with this wall time, on a machine that has been up for an hour.
    pub fn starting_at(wall: Instant) -> Self {
        static MACHINES: AtomicU64 = AtomicU64::new(1);
        let boot_id = Uuid::from_u64_pair(MACHINES.fetch_add(1, Ordering::Relaxed), 1);
        let readings =
            ClockReadings { wall, boot: Duration::from_hours(1), monotonic: Duration::from_secs(10), boot_id };
        Self { readings: Mutex::new(readings) }
    }

    /// Restarts the machine: the wall clock keeps its time, the other clocks restart and `boot_id`
    /// changes.
    pub fn reboot(&self) {
        let mut readings = self.lock_readings();
        let (machine, start) = readings.boot_id.as_u64_pair();
        readings.boot_id = Uuid::from_u64_pair(machine, start.wrapping_add(1));
        (readings.boot, readings.monotonic) = (Duration::from_secs(20), Duration::from_secs(10));
    }

    /// Lets time pass: all three clocks advance.
    pub fn advance(&self, span: Duration) {
        let mut readings = self.lock_readings();
        readings.wall = readings.wall.saturating_add(span);
        readings.boot = readings.boot.saturating_add(span);
        readings.monotonic = readings.monotonic.saturating_add(span);
    }

    /// Sets the wall clock, as an administrator would; no time passes.
    pub fn set(&self, wall: Instant) {
        self.lock_readings().wall = wall;
    }

    /// Moves the wall clock forward; no time passes.
    pub fn step_forward(&self, span: Duration) {
        let mut readings = self.lock_readings();
        readings.wall = readings.wall.saturating_add(span);
    }

    /// Moves the wall clock back; no time passes.
    pub fn step_back(&self, span: Duration) {
        let mut readings = self.lock_readings();
        readings.wall = readings.wall.saturating_sub(span);
    }

    /// Suspends the machine: the wall clock and the time since boot advance, the monotonic clock
    /// does not.
    pub fn sleep(&self, span: Duration) {
        let mut readings = self.lock_readings();
        readings.wall = readings.wall.saturating_add(span);
        readings.boot = readings.boot.saturating_add(span);
    }

    fn lock_readings(&self) -> MutexGuard<'_, ClockReadings> {
        self.readings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::starting_at(CLOCK_START)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Instant {
        self.lock_readings().wall
    }

    fn since_boot(&self) -> Duration {
        self.lock_readings().boot
    }

    fn monotonic(&self) -> Duration {
        self.lock_readings().monotonic
    }

    fn boot_id(&self) -> Option<Uuid> {
        Some(self.lock_readings().boot_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    fn read_clock(clock: &ManualClock) -> (Instant, Duration, Duration) {
        (clock.now(), clock.since_boot(), clock.monotonic())
    }

    #[test]
    fn advance_moves_every_clock_and_step_moves_one() {
        let clock = ManualClock::default();
        let (wall, boot, monotonic) = read_clock(&clock);
        assert_eq!(read_clock(&clock), (wall, boot, monotonic), "the clock does not move by itself");
        clock.advance(MINUTE);
        assert_eq!(read_clock(&clock), (wall.saturating_add(MINUTE), boot + MINUTE, monotonic + MINUTE));
        clock.step_back(2 * MINUTE);
        assert_eq!(read_clock(&clock), (wall.saturating_sub(MINUTE), boot + MINUTE, monotonic + MINUTE));
        clock.step_forward(MINUTE);
        assert_eq!(read_clock(&clock), (wall, boot + MINUTE, monotonic + MINUTE));
        clock.sleep(MINUTE);
        assert_eq!(read_clock(&clock), (wall.saturating_add(MINUTE), boot + 2 * MINUTE, monotonic + MINUTE));
        clock.set(wall);
        assert_eq!(clock.now(), wall);
        let (machine, other) = (clock.boot_id(), ManualClock::default().boot_id());
        assert_ne!(machine, other, "another machine");
        clock.reboot();
        assert_ne!(clock.boot_id(), machine);
        assert!(clock.since_boot() < boot && clock.monotonic() <= monotonic && clock.now() == wall);
    }
}
