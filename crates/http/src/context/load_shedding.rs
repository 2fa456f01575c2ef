//! Load shedding: a worker that falls behind admits fewer requests.
//!
//! Threads that work for the database compete for the processor with the few threads that read
//! requests and write responses. If there is not enough processor time, the latter fall behind, and
//! then even a rejection is late. Each worker therefore measures its delay, and adjusts how many
//! requests it admits to such threads: half as many after each measurement that was late, a few
//! more after each that was on time.

use std::cell::Cell;
use std::time::Duration;

use actix_web::rt::time::{Instant, sleep_until};

/// How often a worker measures its delay.
const CHECK_INTERVAL: Duration = Duration::from_millis(50);

/// The delay above which a worker is late.
const LATE_THRESHOLD: Duration = Duration::from_millis(100);

/// The number of requests that are admitted in any case.
const MIN_ADMISSION_LIMIT: usize = 8;

/// The number of measurements on time after which every request is admitted again.
const RECOVERY_STEPS: usize = 32;

thread_local! {
    /// The number of requests that this worker admits.
    static ADMISSION_LIMIT: Cell<usize> = const { Cell::new(usize::MAX) };

    /// The longest time that a connection has waited to be read since the last measurement.
    static LONGEST_WAIT: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// Records how long a connection of this worker waited until its request was read. Long waits make
/// the worker late.
pub fn record_wait(waited: Duration) {
    LONGEST_WAIT.set(waited.max(LONGEST_WAIT.get()));
}

/// Returns how many requests this worker admits to blocking threads, at most `most`.
pub(crate) fn admission_limit(most: usize) -> usize {
    ADMISSION_LIMIT.get().min(most)
}

/// A running measurement of a worker's delay.
pub(crate) struct DelayMonitor;

/// Starts to measure this worker's delay. It admits `most` requests at first.
pub(crate) fn start_monitor(most: usize) -> DelayMonitor {
    ADMISSION_LIMIT.set(most);
    actix_web::rt::spawn(async move {
        loop {
            let due = Instant::now() + CHECK_INTERVAL;
            sleep_until(due).await;
            ADMISSION_LIMIT.set(next_admission_limit(
                ADMISSION_LIMIT.get(),
                due.elapsed().max(LONGEST_WAIT.take()),
                most,
            ));
        }
    });
    DelayMonitor
}

/// Returns the number of admitted requests after a measurement with this delay.
fn next_admission_limit(admitted: usize, late: Duration, most: usize) -> usize {
    let next = if late > LATE_THRESHOLD {
        (admitted / 2).max(MIN_ADMISSION_LIMIT)
    } else {
        admitted.saturating_add(most / RECOVERY_STEPS + 1)
    };
    next.min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_worker_lowers_and_timely_worker_raises_limit() {
        let after = |from, late, looks| (0..looks).fold(from, |admitted, _| next_admission_limit(admitted, late, 320));
        assert_eq!((after(320, LATE_THRESHOLD, 1), after(320, Duration::from_secs(1), 1)), (320, 160));
        assert_eq!(after(320, Duration::from_secs(1), 100), MIN_ADMISSION_LIMIT);
        assert_eq!(
            (after(MIN_ADMISSION_LIMIT, Duration::ZERO, 1), after(MIN_ADMISSION_LIMIT, Duration::ZERO, RECOVERY_STEPS)),
            (MIN_ADMISSION_LIMIT + 11, 320)
        );
        assert_eq!(next_admission_limit(4, Duration::from_secs(1), 4), 4, "never more than the settings let in");
    }

    #[actix_web::test]
    async fn blocked_worker_is_late() {
        start_monitor(64);
        assert_eq!((admission_limit(64), admission_limit(10)), (64, 10));
        for _ in 0..3 {
            actix_web::rt::time::sleep(CHECK_INTERVAL / 10).await;
            std::thread::sleep(CHECK_INTERVAL + LATE_THRESHOLD * 2);
        }
        actix_web::rt::time::sleep(CHECK_INTERVAL / 10).await;
        assert!(admission_limit(64) < 64, "{}", admission_limit(64));
        while admission_limit(64) < 64 {
            actix_web::rt::time::sleep(CHECK_INTERVAL).await;
        }
    }
}
