//! Follows the change feed: what other processes have ended or changed, and the keys.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use tillgate_domain::{Change, Instant, KeyId, Scope, StoreExt};

use super::Auth;
use crate::Error;
use crate::ports::{Bookmark, FeedCursor, FeedEntry};
use crate::revocations::Version;

/// How long a call waits for a newer view.
const CATCH_UP_TIMEOUT: Duration = Duration::from_millis(500);

/// How often, at most, an unknown key is looked up in the store.
const KEY_LOOKUP_INTERVAL: Duration = Duration::from_secs(1);

/// The age from which the view counts as having missed polls, which happen four times as often.
const MISSED_POLL_AGE: Duration = Duration::from_secs(1);

/// How long after a failed poll the store counts as unavailable, until another poll succeeds.
const STORE_AWAY_PERIOD: Duration = Duration::from_secs(10);

/// The number of calls that may wait for a poll.
const MAX_WAITERS: usize = 128;

#[derive(Default)]
struct FeedPosition {
    bookmark: Option<Bookmark>,
    keys_version: Version,
    /// The acceptances of the clock that were processed already.
    accepted_clocks: BTreeSet<Instant>,
    keys_looked_up_at: Option<Duration>,
    acknowledgment: AcknowledgmentState,
    /// The position of the feed when this process first had a key that is not in use yet.
    key_cursors: HashMap<KeyId, FeedCursor>,
}

/// How long after a revocation this process keeps recording its position.
const ACKNOWLEDGMENT_PERIOD: Duration = Duration::from_secs(3);

/// What this process records about the revocations that it has applied.
#[derive(Default)]
struct AcknowledgmentState {
    /// When the newest poll found a revocation, by the wall clock and by the monotonic clock.
    applied_at: Option<(Instant, Duration)>,
    /// The position and the instant that were recorded last.
    recorded: Option<(FeedCursor, Instant)>,
}

/// The times of polls, by the monotonic clock.
#[derive(Clone, Copy, Default)]
struct PollTimes {
    /// When the newest poll began whose result was fully applied.
    last_success: Option<Duration>,
    /// When the newest poll failed, if none succeeded since.
    last_failure: Option<Duration>,
    /// The oldest unit of work that was open at the newest poll, and when the first poll began that
    /// found it to be the oldest.
    oldest_open_age: Option<(FeedCursor, Duration)>,
}

/// The position of this process in the feed.
#[derive(Default)]
pub(crate) struct FeedFollower {
    position: Mutex<FeedPosition>,
    polls: Mutex<PollTimes>,
    polled: Condvar,
    waiters: AtomicUsize,
    keys_unreadable: AtomicBool,
}

impl FeedFollower {
    fn lock_position(&self) -> MutexGuard<'_, FeedPosition> {
        self.position.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The position, unless another thread is polling.
    fn try_lock_position(&self) -> Option<MutexGuard<'_, FeedPosition>> {
        match self.position.try_lock() {
            Ok(position) => Some(position),
            Err(TryLockError::Poisoned(position)) => Some(position.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    fn lock_polls(&self) -> MutexGuard<'_, PollTimes> {
        self.polls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether all keys of the store could be opened when they last changed.
    pub(crate) fn are_keys_open(&self) -> bool {
        !self.keys_unreadable.load(Ordering::Relaxed)
    }

    /// The position up to which the feed was applied, and the instant of the newest revocation that
    /// is applied.
    pub(crate) fn acknowledgment(&self) -> Option<(FeedCursor, Instant)> {
        let position = self.lock_position();
        Some((position.bookmark.as_ref()?.applied_cursor(), position.acknowledgment.applied_at?.0))
    }

    /// The position and the instant of the newest revocation that is applied, if they are to be
    /// recorded now.
    pub(crate) fn due_acknowledgment(&self, now: Duration) -> Option<(FeedCursor, Instant)> {
        let position = self.lock_position();
        let (applied_at, polled_at) = position.acknowledgment.applied_at?;
        let due = (position.bookmark.as_ref()?.applied_cursor(), applied_at);
        let is_unrecorded = position.acknowledgment.recorded.is_none_or(|(_, recorded_at)| recorded_at != applied_at);
        let is_recent = now.saturating_sub(polled_at) <= ACKNOWLEDGMENT_PERIOD;
        (is_unrecorded || (is_recent && position.acknowledgment.recorded != Some(due))).then_some(due)
    }

    /// Marks the position and the instant as recorded.
    pub(crate) fn mark_recorded(&self, acknowledgment: (FeedCursor, Instant)) {
        self.lock_position().acknowledgment.recorded = Some(acknowledgment);
    }

    /// The position of the feed when this process first had the key.
    pub(crate) fn key_cursor(&self, key: KeyId) -> Option<FeedCursor> {
        self.lock_position().key_cursors.get(&key).copied()
    }
}

impl Auth {
    /// Polls the feed once and applies what other processes have ended or changed. The maintenance
    /// thread does this every 250 ms.
    pub fn poll_feed(&self) -> Result<(), Error> {
        self.poll_from(self.follower.lock_position())
    }

    fn poll_from(&self, position: MutexGuard<'_, FeedPosition>) -> Result<(), Error> {
        let applied = self.apply_poll(position);
        let mut times = self.follower.lock_polls();
        match &applied {
            Ok((started_at, oldest)) => {
                let known = times.oldest_open_age.filter(|(known, _)| Some(*known) == *oldest);
                let oldest = known.or(oldest.map(|oldest| (oldest, *started_at)));
                *times = PollTimes { last_success: Some(*started_at), last_failure: None, oldest_open_age: oldest };
            }
            Err(_) => times.last_failure = Some(self.clock.monotonic()),
        }
        drop(times);
        self.follower.polled.notify_all();
        applied.map(drop)
    }

    /// Polls the feed and applies the result. Returns when the poll began, and the oldest open unit
    /// of work.
    fn apply_poll(&self, mut position: MutexGuard<'_, FeedPosition>) -> Result<(Duration, Option<FeedCursor>), Error> {
        let started_at = self.clock.monotonic();
        let from = position.bookmark.clone();
        self.revocations.begin_poll();
        let batch = self.store.read("poll_feed", |tx| tx.feed().poll(from.as_ref()))?;
        if let Some(time) = batch.clock {
            self.activity.watch(time, self.clock.monotonic());
        }
        for found in &batch.entries {
            // A row may be found twice, but a clock is accepted once for each command. Acceptances
            // that are found at the start concern an earlier clock.
            if found.change == Change::Invalidated(Scope::Clock)
                && position.accepted_clocks.insert(found.at)
                && from.is_some()
            {
                self.timekeeper.accept();
            }
        }
        self.revocations.apply_poll(&batch, started_at);
        let is_revocation =
            |found: &FeedEntry| matches!(found.change, Change::SessionEnded(_) | Change::EpochBumped { .. });
        if from.is_none() || batch.entries.iter().any(is_revocation) {
            position.acknowledgment.applied_at = Some((self.time().at, started_at));
        }
        let oldest = batch.next.open.first().copied();
        position.bookmark = Some(batch.next);
        let keys = self.revocations.keys_version();
        if keys > position.keys_version || from.is_none() {
            self.reload_keys(&mut position)?;
            position.keys_version = keys;
        }
        Ok((started_at, oldest))
    }

    fn reload_keys(&self, position: &mut FeedPosition) -> Result<(), Error> {
        let stored = self.store.read("list_keys", |tx| tx.keys().list())?;
        let reloaded = self.keyring.reload(&stored);
        self.follower.keys_unreadable.store(reloaded.is_err(), Ordering::Relaxed);
        reloaded.map_err(|error| Error::Fault(error.to_string()))?;
        if let Some(cursor) = position.bookmark.as_ref().map(Bookmark::applied_cursor) {
            let open_keys = self.keyring.current();
            position.key_cursors.retain(|key, _| open_keys.pending_keys().contains(key));
            for key in open_keys.pending_keys() {
                position.key_cursors.entry(*key).or_insert(cursor);
            }
        }
        Ok(())
    }

    /// Reads the keys again for a token with an unknown key: one reader for all calls, at most once
    /// a second. An earlier call waits for the next poll, which finds new keys, so that no token is
    /// denied because of what this process has not read.
    pub(super) fn reload_unknown_keys(&self) -> Result<(), Error> {
        let arrived = self.clock.monotonic();
        {
            let mut position = self.follower.lock_position();
            let is_recent =
                position.keys_looked_up_at.is_some_and(|at| arrived.saturating_sub(at) < KEY_LOOKUP_INTERVAL);
            if !is_recent || !self.schedule.is_running() {
                self.reload_keys(&mut position)?;
                position.keys_looked_up_at = Some(arrived);
                return Ok(());
            }
        }
        self.wait_for_poll(arrived)
    }

    /// Waits at most half a second for a poll that begins now or later. Few calls may wait, because
    /// each occupies a thread.
    fn wait_for_poll(&self, arrived: Duration) -> Result<(), Error> {
        let is_missing = |times: &PollTimes| times.last_success < Some(arrived);
        let must_wait = |times: &mut PollTimes| is_missing(times) && times.last_failure < Some(arrived);
        let may_wait = self.follower.waiters.fetch_add(1, Ordering::Relaxed) < MAX_WAITERS;
        let mut times = self.follower.lock_polls();
        if may_wait {
            let waited = self.follower.polled.wait_timeout_while(times, CATCH_UP_TIMEOUT, must_wait);
            times = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        self.follower.waiters.fetch_sub(1, Ordering::Relaxed);
        if is_missing(&times) { Err(Error::unavailable("the change feed could not be read in time")) } else { Ok(()) }
    }

    /// How long the oldest unit of work has been open that every poll since has found open. Its
    /// changes are not in the feed yet.
    pub fn oldest_open_age(&self) -> Duration {
        let oldest = self.follower.lock_polls().oldest_open_age;
        oldest.map_or(Duration::ZERO, |(_, since)| self.clock.monotonic().saturating_sub(since))
    }

    /// Whether the view is younger than [`AuthSettings::max_age`](super::AuthSettings::max_age).
    pub(super) fn is_feed_fresh(&self) -> bool {
        self.feed_age().is_some_and(|age| age <= self.settings.max_age)
    }

    /// Whether the view is young enough, and polls continue.
    ///
    /// A process that was stopped for a while (`SIGSTOP`, a frozen machine) has missed polls and
    /// must poll before it trusts its view. If polls are tried and fail, the store is unavailable,
    /// and the view is trusted for `max_age`.
    pub(super) fn is_feed_current(&self) -> bool {
        let Some(age) = self.feed_age() else { return false };
        age <= self.settings.max_age && (age <= MISSED_POLL_AGE || !self.schedule.is_running() || self.is_store_away())
    }

    /// Whether polls of the feed fail: the store cannot be read.
    pub(super) fn is_store_away(&self) -> bool {
        let now = self.clock.monotonic();
        self.follower.lock_polls().last_failure.is_some_and(|at| now.saturating_sub(at) <= STORE_AWAY_PERIOD)
    }

    /// Waits at most half a second for a current view; one thread polls for all. If the poll is not
    /// possible, a view that is young enough is trusted.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the view is too old.
    pub fn catch_up(&self) -> Result<(), Error> {
        if self.is_feed_current() {
            return Ok(());
        }
        if !self.schedule.is_running() {
            return self.poll_feed();
        }
        let arrived = self.clock.monotonic();
        // If polls were only missed, the first call polls: the maintenance thread may be busy with
        // something else.
        let position = if self.is_feed_fresh() { self.follower.try_lock_position() } else { None };
        let polled = match position {
            Some(position) => self.poll_from(position),
            None => self.wait_for_poll(arrived),
        };
        if polled.is_err() && self.is_feed_fresh() { Ok(()) } else { polled }
    }
}
