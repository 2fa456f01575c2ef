//! Maintenance: the periodic work of the engine. Each step can be called separately; a built engine
//! runs them on a thread until it is dropped.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};
use std::time::Duration;

use tillgate_domain::{Instant, NodeId, StoreExt, StoreResult};

use super::Auth;
use super::api_keys::MAX_SIGNATURE_SKEW;
use crate::Error;
use crate::ports::{AuthTx, FeedCursor, MachineClock, Node, NodeAcknowledgment};
use crate::session_terms::MAX_ACCESS_TOKEN_LIFETIME;
use crate::throttle::GUESS_MEMORY;

/// How often the change feed is polled.
pub(super) const FEED_POLL_INTERVAL: Duration = Duration::from_millis(250);

/// How often uses are written.
const ACTIVITY_WRITE_INTERVAL: Duration = Duration::from_secs(1);

/// How often this process records its heartbeat.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(5);

/// The age of a heartbeat up to which a process counts as live.
pub(super) const NODE_LIVENESS_TIMEOUT: Duration = Duration::from_mins(1);

/// How often old data is removed.
const SWEEP_INTERVAL: Duration = Duration::from_mins(1);

/// How far the cutoff of a sweep may be beyond the newest instant of the store and the time since,
/// on the basis of this process's clock alone.
const MAX_CLOCK_ADVANCE: Duration = Duration::from_hours(24);

/// The number of rows that one unit of work removes.
const ROWS_PER_SWEEP: u32 = 500;

/// The number of uses that one unit of work writes.
const USES_PER_WRITE: usize = 1_000;

/// How long changes are kept in the store: longer than the lifetime of any access token.
const CHANGE_RETENTION: Duration = Duration::from_hours(7 * 24);

/// How long signatures are kept: twice as long as a signature can be valid, so that processes whose
/// clocks differ by minutes do not remove one too early.
const SIGNATURE_RETENTION: Duration = MAX_SIGNATURE_SKEW.saturating_mul(4);

/// How long live events are kept: a client that was away for longer reads its lists again.
const LIVE_EVENT_RETENTION: Duration = Duration::from_hours(24);

/// How long the heartbeats of stopped processes, and their clocks, are kept.
const NODE_RETENTION: Duration = Duration::from_hours(7 * 24);

/// How long ended sessions are cached: the longest lifetime of a token, and an hour.
const ENDED_SESSION_RETENTION: Duration = MAX_ACCESS_TOKEN_LIFETIME.saturating_add(Duration::from_hours(1));

/// The numbers of rows that a sweep removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SweepCounts {
    /// Sessions that ended or expired long ago.
    pub sessions: u32,
    /// Changes that are older than any valid token.
    pub changes: u32,
    /// Unused token buckets, and wrong passwords that were remembered for a day.
    pub attempts: u32,
    /// Known networks without a recent login.
    pub known_networks: u32,
    /// Signatures that are too old to be valid again.
    pub signatures: u32,
    /// Live events older than their retention.
    pub live_events: u32,
}

/// When each step was last run, and the thread that runs them.
#[derive(Default)]
pub(crate) struct Schedule {
    last_runs: Mutex<LastRuns>,
    running: AtomicBool,
    /// Whether this process has recorded that it stops. Locked during that and during a heartbeat,
    /// so that neither overtakes the other.
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
    /// Whether a thread runs the steps.
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
    /// Starts the thread that runs the steps until the engine is dropped.
    pub(super) fn start_maintenance(auth: &Arc<Self>) -> std::io::Result<()> {
        let (weak, stop) = (Arc::downgrade(auth), Arc::clone(&auth.schedule.stop));
        std::thread::Builder::new().name("maintenance".to_owned()).spawn(move || run_maintenance(&weak, &stop))?;
        auth.schedule.running.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Runs the steps that are due. A step that fails is logged and retried at the next call.
    pub fn run_due_maintenance(&self) {
        let now = self.clock.monotonic();
        let due = |last: &mut Duration, every: Duration| {
            let due = *last == Duration::ZERO || now.saturating_sub(*last) >= every;
            if due {
                *last = now.max(Duration::from_nanos(1));
            }
            due
        };
        let (activity, heartbeat, sweep) = {
            let mut done = self.schedule.last_runs.lock().unwrap_or_else(PoisonError::into_inner);
            (
                due(&mut done.activity, ACTIVITY_WRITE_INTERVAL),
                due(&mut done.heartbeat, HEARTBEAT_INTERVAL),
                due(&mut done.sweep, SWEEP_INTERVAL),
            )
        };
        log_failure("following the feed", self.poll_feed());
        if activity {
            log_failure("writing uses", self.write_activity());
            log_failure("recording suppressed denials", self.record_suppressed_denials(false));
        }
        if heartbeat {
            log_failure("sending the heartbeat", self.send_heartbeat());
        }
        log_failure("recording the feed position of this process", self.record_acknowledgment());
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

    /// Writes the recorded uses: `used_generation` and `last_used_at` of sessions, and
    /// `last_used_at` of API keys.
    pub fn write_activity(&self) -> Result<(), Error> {
        let taken = self.activity.take_pending();
        for part in taken.chunks(USES_PER_WRITE) {
            self.store.write("write_activity", |tx| tx.sessions().record_uses(part))?;
            self.activity.mark_written(part);
        }
        self.write_key_activity()
    }

    fn write_key_activity(&self) -> Result<(), Error> {
        let mut uses = self.activity.take_key_uses();
        while !uses.is_empty() {
            let rest = uses.split_off(uses.len().min(USES_PER_WRITE));
            let written = self.store.write("write_key_activity", |tx| tx.api_keys().record_uses(&uses));
            if let Err(error) = written {
                uses.into_iter().chain(rest).for_each(|(key, at)| self.activity.record_key_use(key, at));
                return Err(error.into());
            }
            uses = rest;
        }
        Ok(())
    }

    /// Records the heartbeat of this process, with its position in the feed; does nothing after
    /// [`leave`](Self::leave).
    pub fn send_heartbeat(&self) -> Result<(), Error> {
        let Some(applied) = self.follower.acknowledgment() else { return Ok(()) };
        let clock = self.clock.boot_id().zip(self.timekeeper.origin());
        let clock = clock.map(|(boot, origin)| MachineClock { boot_id: boot, origin });
        let left = self.schedule.has_left.lock().unwrap_or_else(PoisonError::into_inner);
        if *left {
            return Ok(());
        }
        let node = Node { id: self.node, applied: applied.0, seen_at: self.time().at, clock };
        let acknowledgment = self.build_acknowledgment(applied);
        // the position is never recorded with the instant of an earlier one
        self.store.write("send_heartbeat", |tx| {
            tx.nodes().upsert(&node)?;
            tx.nodes().record_acknowledgment(&acknowledgment)
        })?;
        self.follower.mark_recorded(applied);
        Ok(())
    }

    fn build_acknowledgment(&self, (applied, applied_at): (FeedCursor, Instant)) -> NodeAcknowledgment {
        let name = self.settings.process_name.clone().unwrap_or_else(|| self.node.to_string());
        NodeAcknowledgment { id: self.node, name, applied, applied_at: Some(applied_at) }
    }

    /// The id under which this process records its heartbeat.
    pub fn process_id(&self) -> NodeId {
        self.node
    }

    /// The processes over the store that have recorded a heartbeat within the last minute.
    pub fn list_live_processes(&self) -> Result<BTreeSet<NodeId>, Error> {
        let since = self.time().at.saturating_sub(NODE_LIVENESS_TIMEOUT);
        let nodes = self.store.read("list_processes", |tx| tx.nodes().list_live(since))?;
        Ok(nodes.into_iter().map(|node| node.id).collect())
    }

    /// Records up to where, and when, this process has applied revocations; does nothing if that is
    /// recorded.
    pub fn record_acknowledgment(&self) -> Result<(), Error> {
        let Some(due) = self.follower.due_acknowledgment(self.clock.monotonic()) else { return Ok(()) };
        let acknowledgment = self.build_acknowledgment(due);
        self.store.write("record_acknowledgment", |tx| tx.nodes().record_acknowledgment(&acknowledgment))?;
        self.follower.mark_recorded(due);
        Ok(())
    }

    /// The end of the change feed: a process whose recorded position is at or after it has applied
    /// every revocation that was committed before this call.
    pub fn find_feed_end(&self) -> Result<FeedCursor, Error> {
        Ok(self.store.read("find_feed_end", |tx| tx.feed().find_end())?)
    }

    /// The acknowledgments of the running processes.
    pub fn list_acknowledgments(&self) -> Result<Vec<NodeAcknowledgment>, Error> {
        let since = self.time().at.saturating_sub(NODE_LIVENESS_TIMEOUT);
        Ok(self.store.read("list_acknowledgments", |tx| tx.nodes().list_acknowledgments(since))?)
    }

    /// Stops in good order: writes the recorded uses, and records that other processes need not
    /// wait for this one.
    pub fn leave(&self) -> Result<(), Error> {
        self.write_activity()?;
        self.record_suppressed_denials(true)?;
        let mut left = self.schedule.has_left.lock().unwrap_or_else(PoisonError::into_inner);
        let at = self.time().at;
        self.store.write("leave_cluster", |tx| tx.nodes().mark_left(self.node, at))?;
        *left = true;
        Ok(())
    }

    /// Whether this process removes old data by itself: the clock is not in doubt, and the process
    /// has run for [`AuthSettings::sweep_delay`](super::AuthSettings::sweep_delay).
    pub fn may_sweep(&self) -> bool {
        !self.time().in_doubt && self.uptime() >= self.settings.sweep_delay
    }

    /// The instant that decides which data is old.
    ///
    /// A removal cannot be undone, and a clock that is wrong at the start looks like any other.
    /// What is removed is therefore limited to the latest instant that the store had recorded
    /// before this process first wrote, plus the time since by the monotonic clock, plus a day. A
    /// process that has just started has not observed its clock and does not add the day. A clock
    /// that nobody checked can end a session early, by its own terms; it cannot end one as stolen,
    /// and cannot revive one.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] while the clock is in doubt.
    pub fn sweep_cutoff(&self) -> Result<Instant, Error> {
        let time = self.time();
        if time.in_doubt {
            return Err(Error::unavailable(
                "the clock is in doubt, so nothing is removed: check the clock of this machine",
            ));
        }
        // Whatever the setting is, signatures from before the start must be too old to be valid by
        // then.
        let settled = self.uptime() >= self.settings.sweep_delay.max(SIGNATURE_RETENTION);
        let trust = if settled { MAX_CLOCK_ADVANCE } else { Duration::ZERO };
        Ok(time.at.min(self.start.newest_stored.saturating_add(self.uptime()).saturating_add(trust)))
    }

    /// How long this process has run, by the monotonic clock.
    fn uptime(&self) -> Duration {
        self.clock.monotonic().saturating_sub(self.start.monotonic)
    }

    /// Removes old data by [`sweep_cutoff`](Self::sweep_cutoff), in small units of work. Calls
    /// `progress` after each with the numbers so far. Removes nothing while the clock is in doubt.
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
        self.sweep_table(
            now.saturating_sub(LIVE_EVENT_RETENTION),
            &|tx, before| tx.live_events().sweep(before, ROWS_PER_SWEEP),
            &mut |count| {
                swept.live_events += count;
                progress(swept);
            },
        )?;
        self.store.write("sweep_nodes", |tx| tx.nodes().sweep(now.saturating_sub(NODE_RETENTION)))?;
        Ok(swept)
    }

    fn sweep_table(
        &self,
        before: Instant,
        part: &dyn Fn(&mut dyn AuthTx, Instant) -> StoreResult<u32>,
        counted: &mut dyn FnMut(u32),
    ) -> Result<(), Error> {
        loop {
            let removed = self.store.write("sweep_table", |tx| part(tx, before))?;
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

fn log_failure(step: &str, done: Result<(), Error>) {
    if let Err(error) = done {
        tracing::warn!(%error, "{step} failed; it will be retried");
    }
}
