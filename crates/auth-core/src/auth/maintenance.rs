//! Chores: what the engine does besides answering. Each can be called by hand; a built engine does them on a thread of its own
//! until it is dropped.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};
use std::time::Duration;

use tillgate_domain::{Instant, StoreExt, StoreResult};

use super::Auth;
use super::signed_request::MAX_SIGNATURE_SKEW;
use crate::Error;
use crate::ports::{AuthTx, MachineClock, Node};
use crate::terms::MAX_ACCESS_TOKEN_LIFETIME;
use crate::throttle::GUESS_MEMORY;

/// How often the feed is looked at.
const FEED_POLL_INTERVAL: Duration = Duration::from_millis(250);

/// How often uses are written.
const ACTIVITY_WRITE_INTERVAL: Duration = Duration::from_secs(1);

/// How often this process says how far it follows.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(5);

/// How long ago a process may have said so and still be counted as live.
pub(super) const NODE_LIVENESS_TIMEOUT: Duration = Duration::from_mins(1);

/// How often what nobody needs is thrown away.
const SWEEP_INTERVAL: Duration = Duration::from_mins(1);

/// How far past what the store has seen, and the time since, a process may remove on the word of its clock alone.
const MAX_CLOCK_ADVANCE: Duration = Duration::from_hours(24);

/// How many rows one unit of work removes.
const ROWS_PER_SWEEP: u32 = 500;

/// How many uses one unit of work notes.
const USES_PER_WRITE: usize = 1_000;

/// How long changes are kept in the store: no access token lives that long.
const CHANGE_RETENTION: Duration = Duration::from_hours(7 * 24);

/// How long signatures are remembered: twice as long as one can be good that is seen as early as can be, so that processes whose
/// clocks differ by minutes forget none too soon.
const SIGNATURE_RETENTION: Duration = MAX_SIGNATURE_SKEW.saturating_mul(4);

/// How long it is remembered that a process was there, and what it said of its machine's clock.
const NODE_RETENTION: Duration = Duration::from_hours(7 * 24);

/// How long the memory keeps ended sessions: the life of the longest token, and an hour.
const ENDED_SESSION_RETENTION: Duration = MAX_ACCESS_TOKEN_LIFETIME.saturating_add(Duration::from_hours(1));

/// What a sweep removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SweepCounts {
    /// Sessions that had been over for long.
    pub sessions: u32,
    /// Changes that no living token can be older than.
    pub changes: u32,
    /// Counts of wrong passwords that nothing has touched, and wrong passwords that were remembered for a day.
    pub attempts: u32,
    /// Places without a late success.
    pub known_networks: u32,
    /// Signatures that are too old to be good again.
    pub signatures: u32,
}

/// When which chore was done last, and the thread that does them.
#[derive(Default)]
pub(crate) struct Schedule {
    last_runs: Mutex<LastRuns>,
    running: AtomicBool,
    /// Whether this process has left: held while it says so and while it says that it is there, so that neither overtakes the other.
    has_left: Mutex<bool>,
    stop: Arc<(Mutex<bool>, Condvar)>,
}

#[derive(Default)]
struct LastRuns {
    activity: Duration,
    heartbeat: Duration,
    sweep: Duration,
}

impl Schedule {
    /// Whether a thread does the chores.
    pub(super) fn is_running(&self) -> bool {
        self.running.load(Ordering::Relaxed)
    }
}

impl Drop for Schedule {
    fn drop(&mut self) {
        *self.stop.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.stop.1.notify_all();
    }
}

impl Auth {
    /// Does the chores on a thread of their own until the engine is dropped.
    pub(super) fn start_maintenance(auth: &Arc<Self>) -> std::io::Result<()> {
        let (weak, stop) = (Arc::downgrade(auth), Arc::clone(&auth.schedule.stop));
        std::thread::Builder::new().name("tillgate-chores".to_owned()).spawn(move || run_maintenance(&weak, &stop))?;
        auth.schedule.running.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Does what is due. What fails is logged and done again at the next call.
    pub fn run_due_maintenance(&self) {
        let now = self.clock.monotonic();
        let due = |last: &mut Duration, every: Duration| {
            let due = *last == Duration::ZERO || now.saturating_sub(*last) >= every;
            if due {
                *last = now.max(Duration::from_nanos(1));
            }
            due
        };
        let (uses, say, sweep) = {
            let mut done = self.schedule.last_runs.lock().unwrap_or_else(PoisonError::into_inner);
            (
                due(&mut done.activity, ACTIVITY_WRITE_INTERVAL),
                due(&mut done.heartbeat, HEARTBEAT_INTERVAL),
                due(&mut done.sweep, SWEEP_INTERVAL),
            )
        };
        log_failure("following the feed", self.poll_feed());
        if uses {
            log_failure("writing uses", self.write_activity());
            log_failure("telling of refusals", self.record_suppressed_denials(false));
        }
        if say {
            log_failure("saying how far this process follows", self.send_heartbeat());
        }
        if sweep {
            self.revocations.forget_older_than(ENDED_SESSION_RETENTION);
            self.activity.forget_expired(now);
            log_failure("promoting keys", self.promote_keys());
            if self.may_sweep() {
                log_failure("retiring keys", self.retire_keys());
                log_failure("sweeping", self.sweep(&mut |_| ()).map(|_| ()));
            }
        }
    }

    /// Writes the uses that memory holds: `used` and `last_used_at`.
    pub fn write_activity(&self) -> Result<(), Error> {
        let taken = self.activity.take_pending();
        for part in taken.chunks(USES_PER_WRITE) {
            self.store.write(|tx| tx.sessions().record_uses(part))?;
            self.activity.mark_written(part);
        }
        Ok(())
    }

    /// Says how far this process follows the feed; nothing once it has left.
    pub fn send_heartbeat(&self) -> Result<(), Error> {
        let Some(applied) = self.follower.cursor() else { return Ok(()) };
        let clock = self.clock.boot_id().zip(self.timekeeper.origin());
        let clock = clock.map(|(boot, origin)| MachineClock { boot_id: boot, origin });
        let left = self.schedule.has_left.lock().unwrap_or_else(PoisonError::into_inner);
        if *left {
            return Ok(());
        }
        let node = Node { id: self.node, applied, seen_at: self.time().at, clock };
        Ok(self.store.write(|tx| tx.nodes().upsert(&node))?)
    }

    /// Leaves in good order: writes what memory holds, and tells the others not to wait for this process.
    pub fn leave(&self) -> Result<(), Error> {
        self.write_activity()?;
        self.record_suppressed_denials(true)?;
        let mut left = self.schedule.has_left.lock().unwrap_or_else(PoisonError::into_inner);
        let at = self.time().at;
        self.store.write(|tx| tx.nodes().mark_left(self.node, at))?;
        *left = true;
        Ok(())
    }

    /// Whether this process removes by itself what nobody needs any more: the clock is not in doubt, and it has run for
    /// [`Settings::sweep_delay`](super::Settings::sweep_delay).
    pub fn may_sweep(&self) -> bool {
        !self.time().in_doubt && self.uptime() >= self.settings.sweep_delay
    }

    /// The instant by which it is judged what nobody needs any more.
    ///
    /// What is removed by a wrong clock is gone for good, and a clock that is wrong at the start looks like any other. So it is
    /// never later than what the store had seen before this process first wrote to it, and the time that has passed since by the
    /// monotonic clock, and a day. A process that has just started has seen nothing of its clock, and goes without the day.
    ///
    /// # Errors
    /// [`Error::Unavailable`] while the clock is in doubt.
    pub fn sweep_cutoff(&self) -> Result<Instant, Error> {
        let time = self.time();
        if time.in_doubt {
            return Err(Error::unavailable("the clock is in doubt: nothing is removed by it"));
        }
        // whatever is set: signatures of before the start must be too old by then to be good again
        let settled = self.uptime() >= self.settings.sweep_delay.max(SIGNATURE_RETENTION);
        let trust = if settled { MAX_CLOCK_ADVANCE } else { Duration::ZERO };
        Ok(time.at.min(self.start.newest_stored.saturating_add(self.uptime()).saturating_add(trust)))
    }

    /// How long this process has run, by the monotonic clock.
    fn uptime(&self) -> Duration {
        self.clock.monotonic().saturating_sub(self.start.monotonic)
    }

    /// Removes what nobody needs any more at [`sweep_cutoff`](Self::sweep_cutoff), in small units of work, and tells of each
    /// how much is gone so far. Nothing is removed while the clock is in doubt.
    pub fn sweep(&self, progress: &mut dyn FnMut(SweepCounts)) -> Result<SweepCounts, Error> {
        let mut swept = SweepCounts::default();
        let now = self.sweep_cutoff()?;
        let keep = self.settings.ended_session_retention;
        self.sweep_table(
            now.saturating_sub(keep),
            &|tx, before| tx.sessions().sweep(before, ROWS_PER_SWEEP),
            &mut |count| {
                swept.sessions += count;
                progress(swept);
            },
        )?;
        self.sweep_table(
            now.saturating_sub(CHANGE_RETENTION),
            &|tx, before| tx.feed().sweep(before, ROWS_PER_SWEEP),
            &mut |count| {
                swept.changes += count;
                progress(swept);
            },
        )?;
        self.sweep_table(
            now.saturating_sub(self.settings.throttle.bucket_retention()),
            &|tx, before| tx.attempts().sweep(before, ROWS_PER_SWEEP),
            &mut |count| {
                swept.attempts += count;
                progress(swept);
            },
        )?;
        self.sweep_table(
            now.saturating_sub(GUESS_MEMORY),
            &|tx, before| tx.attempts().sweep_guesses(before, ROWS_PER_SWEEP),
            &mut |count| {
                swept.attempts += count;
                progress(swept);
            },
        )?;
        let keep = self.settings.throttle.known_for;
        self.sweep_table(
            now.saturating_sub(keep),
            &|tx, before| tx.known_networks().sweep(before, ROWS_PER_SWEEP),
            &mut |count| {
                swept.known_networks += count;
                progress(swept);
            },
        )?;
        let keep = SIGNATURE_RETENTION;
        self.sweep_table(
            now.saturating_sub(keep),
            &|tx, before| tx.signatures().sweep(before, ROWS_PER_SWEEP),
            &mut |count| {
                swept.signatures += count;
                progress(swept);
            },
        )?;
        self.store.write(|tx| tx.nodes().sweep(now.saturating_sub(NODE_RETENTION)))?;
        Ok(swept)
    }

    fn sweep_table(
        &self,
        before: Instant,
        part: &dyn Fn(&mut dyn AuthTx, Instant) -> StoreResult<u32>,
        counted: &mut dyn FnMut(u32),
    ) -> Result<(), Error> {
        loop {
            let removed = self.store.write(|tx| part(tx, before))?;
            if removed > 0 {
                counted(removed);
            }
            if removed < ROWS_PER_SWEEP {
                return Ok(());
            }
        }
    }
}

fn run_maintenance(auth: &Weak<Auth>, stop: &(Mutex<bool>, Condvar)) {
    loop {
        let Some(auth) = auth.upgrade() else { return };
        auth.run_due_maintenance();
        drop(auth);
        let stopped = stop.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = stop.1.wait_timeout_while(stopped, FEED_POLL_INTERVAL, |stopped| !*stopped);
        if *waited.unwrap_or_else(PoisonError::into_inner).0 {
            return;
        }
    }
}

fn log_failure(chore: &str, done: Result<(), Error>) {
    if let Err(error) = done {
        tracing::warn!(%error, "{chore} failed; it is done again");
    }
}
