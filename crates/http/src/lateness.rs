//! How late a worker is, and how much work it lets in because of it.
//!
//! Threads that work for the database take the processor from the few that read requests and write answers. Where there is too
//! little of it these fall behind, and then even a refusal comes late. So each worker measures how late it is, and lets in less
//! that wants such a thread: half of it whenever it is late, a little more whenever it is not.

use std::cell::Cell;
use std::time::Duration;

use actix_web::rt::time::{Instant, sleep_until};

/// How often a worker measures its delay.
const CHECK_INTERVAL: Duration = Duration::from_millis(50);

/// The delay above which a worker is late.
const LATE_THRESHOLD: Duration = Duration::from_millis(100);

/// The number of requests that are admitted in any case.
const MIN_ADMITTED: usize = 8;

/// The number of measurements on time after which every request is admitted again.
const RECOVERY_STEPS: usize = 32;

thread_local! {
    /// How much this worker lets in.
    static ADMITTED: Cell<usize> = const { Cell::new(usize::MAX) };

    /// The longest that a connection has waited to be read since the last measurement.
    static WAITED: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// Notes how long a connection of this worker has waited until its request was read. A worker that lets them wait is late.
pub fn note_wait(waited: Duration) {
    WAITED.set(waited.max(WAITED.get()));
}

/// How many requests this worker lets in that want a thread which may wait, of `most`.
pub(crate) fn admitted(most: usize) -> usize {
    ADMITTED.get().min(most)
}

/// A worker that measures how late it is.
pub(crate) struct Watched;

/// Measures from now on how late this worker is. It lets in `most` at first.
pub(crate) fn watch(most: usize) -> Watched {
    ADMITTED.set(most);
    actix_web::rt::spawn(async move {
        loop {
            let due = Instant::now() + CHECK_INTERVAL;
            sleep_until(due).await;
            ADMITTED.set(next(ADMITTED.get(), due.elapsed().max(WAITED.take()), most));
        }
    });
    Watched
}

/// What is let in after a look that was so late.
fn next(admitted: usize, late: Duration, most: usize) -> usize {
    let next = if late > LATE_THRESHOLD {
        (admitted / 2).max(MIN_ADMITTED)
    } else {
        admitted.saturating_add(most / RECOVERY_STEPS + 1)
    };
    next.min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_worker_lets_in_less_and_one_on_time_more() {
        let after = |from, late, looks| (0..looks).fold(from, |admitted, _| next(admitted, late, 320));
        assert_eq!((after(320, LATE_THRESHOLD, 1), after(320, Duration::from_secs(1), 1)), (320, 160));
        assert_eq!(after(320, Duration::from_secs(1), 100), MIN_ADMITTED);
        assert_eq!(
            (after(MIN_ADMITTED, Duration::ZERO, 1), after(MIN_ADMITTED, Duration::ZERO, RECOVERY_STEPS)),
            (MIN_ADMITTED + 11, 320)
        );
        assert_eq!(next(4, Duration::from_secs(1), 4), 4, "never more than the settings let in");
    }

    #[actix_web::test]
    async fn worker_that_is_kept_from_its_tasks_is_late() {
        watch(64);
        assert_eq!((admitted(64), admitted(10)), (64, 10));
        for _ in 0..3 {
            actix_web::rt::time::sleep(CHECK_INTERVAL / 10).await;
            std::thread::sleep(CHECK_INTERVAL + LATE_THRESHOLD * 2);
        }
        actix_web::rt::time::sleep(CHECK_INTERVAL / 10).await;
        assert!(admitted(64) < 64, "{}", admitted(64));
        while admitted(64) < 64 {
            actix_web::rt::time::sleep(CHECK_INTERVAL).await;
        }
    }
}
