//! What this process knows of sessions before the store does: which generation is in use, and which
//! sessions it has rotated.
//!
//! Uses count in memory at once and are written in the background, in batches sorted by session.
//! Rotations are dated by the monotonic clock, so that a step of the wall clock moves no grace
//! period.

use std::collections::hash_map::Entry;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tillgate_domain::{ApiKeyId, Instant, SessionId};

use crate::Session;
use crate::bounded_map::BoundedMap;
use crate::clock::ClockConfidence;
use crate::judge::Witness;
use crate::ports::{ServerTime, SessionUse, StoreClock};

/// The default size limit in bytes.
const DEFAULT_BYTES: usize = 16 << 20;

/// How long this process remembers that the shared use of a refresh token was recorded.
const SHARED_REPORT_RETENTION: Duration = Duration::from_hours(24);

#[derive(Clone, Copy)]
struct LocalRotation {
    generation: i64,
    /// The instant that it wrote. If the store has a later one, another process wrote that.
    stored_at: Option<Instant>,
    at: Duration,
    /// Until when the entry is needed: the end of the grace period.
    until: Duration,
}

struct ActivityState {
    /// The uses that are not written yet. If this is full because the store accepts no writes, uses
    /// of other sessions are not recorded until it has space; the previous refresh token of such a
    /// session is judged as if the current one were unused.
    pending: BoundedMap<SessionId, SessionUse>,
    writing: BoundedMap<SessionId, SessionUse>,
    /// The uses of API keys that are not written yet, to the minute. If this is full, uses of other
    /// keys are not recorded.
    keys: BoundedMap<ApiKeyId, Instant>,
    /// If this is full, the timestamps of the store replace what is dropped.
    rotations: BoundedMap<SessionId, LocalRotation>,
    /// For which generation, and when, the shared use of its token was recorded. What is dropped is
    /// recorded again.
    reported: BoundedMap<SessionId, (i64, Duration)>,
    /// When this process started, by the monotonic clock.
    started: Duration,
    /// The database server to which this process is connected.
    server: Option<ObservedServer>,
}

/// A database server whose clock this process compares with its own.
#[derive(Clone, Copy)]
struct ObservedServer {
    server: i64,
    /// Since when, by the monotonic clock, the server has been the same and its clock has not
    /// jumped ahead.
    since: Duration,
    /// The server's clock at the origin of this process's monotonic clock, in milliseconds since
    /// the Unix epoch.
    origin: i64,
}

/// How far the clock of a database server may advance against the monotonic clock between two
/// readings, in milliseconds; the same as for the wall clock. Readings are late by the time that a
/// thread waits. A clock that falls back makes no rotation older, so it is followed.
const MAX_SERVER_CLOCK_DRIFT_MILLIS: i64 = 60_000;

/// The uses and rotations of this process.
pub(crate) struct ActivityTracker(Mutex<ActivityState>);

impl Default for ActivityTracker {
    fn default() -> Self {
        Self::new(Duration::ZERO, DEFAULT_BYTES)
    }
}

impl ActivityTracker {
    /// An empty tracker of at most `limit` bytes, in a process that started at `started` of the
    /// monotonic clock.
    pub(crate) fn new(started: Duration, limit: usize) -> Self {
        Self(Mutex::new(ActivityState {
            pending: BoundedMap::new(limit / 8),
            writing: BoundedMap::new(limit / 8),
            rotations: BoundedMap::new(limit / 2),
            reported: BoundedMap::new(limit / 8),
            keys: BoundedMap::new(limit / 8),
            started,
            server: None,
        }))
    }

    /// The approximate size in memory.
    pub(crate) fn size_bytes(&self) -> usize {
        let state = self.lock_state();
        [
            state.pending.size_bytes(),
            state.writing.size_bytes(),
            state.rotations.size_bytes(),
            state.reported.size_bytes(),
            state.keys.size_bytes(),
        ]
        .into_iter()
        .sum()
    }

    fn lock_state(&self) -> MutexGuard<'_, ActivityState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records that an access token of a session has authenticated a request.
    pub(crate) fn record_use(&self, used: SessionUse) {
        match self.lock_state().pending.entry(used.session) {
            Some(Entry::Occupied(mut entry)) => {
                let known = entry.get_mut();
                known.generation = known.generation.max(used.generation);
                known.at = known.at.max(used.at);
            }
            Some(Entry::Vacant(entry)) => {
                entry.insert(used);
            }
            None => {}
        }
    }

    /// Records that an API key has authenticated a request in this minute.
    pub(crate) fn record_key_use(&self, key: ApiKeyId, minute: Instant) {
        match self.lock_state().keys.entry(key) {
            Some(Entry::Occupied(mut entry)) => {
                let known = entry.get_mut();
                *known = minute.max(*known);
            }
            Some(Entry::Vacant(entry)) => {
                entry.insert(minute);
            }
            None => {}
        }
    }

    /// Takes the uses of API keys to write, sorted by key. Those that cannot be written are
    /// recorded again by [`record_key_use`](Self::record_key_use).
    pub(crate) fn take_key_uses(&self) -> Vec<(ApiKeyId, Instant)> {
        let mut taken: Vec<(ApiKeyId, Instant)> = self.lock_state().keys.take().into_iter().collect();
        taken.sort_unstable();
        taken
    }

    /// Takes the uses to write, sorted by session. They count until
    /// [`mark_written`](Self::mark_written).
    pub(crate) fn take_pending(&self) -> Vec<SessionUse> {
        let mut guard = self.lock_state();
        let state = &mut *guard;
        for (session, used) in state.pending.take() {
            match state.writing.entry(session) {
                Some(Entry::Occupied(mut entry)) => {
                    let generation = entry.get().generation.max(used.generation);
                    entry.insert(SessionUse { generation, ..used });
                }
                Some(Entry::Vacant(entry)) => {
                    entry.insert(used);
                }
                None => state.pending.insert(session, used),
            }
        }
        let mut taken: Vec<SessionUse> = state.writing.values().copied().collect();
        taken.sort_unstable_by_key(|each| each.session);
        taken
    }

    /// Removes the uses that are in the store now. Uses that were recorded since still count.
    pub(crate) fn mark_written(&self, part: &[SessionUse]) {
        let mut state = self.lock_state();
        for each in part {
            if state.writing.get(&each.session) == Some(each) {
                state.writing.remove(&each.session);
            }
        }
    }

    /// Records that this process has rotated a session or restarted its grace period, with the
    /// session as it was written; `now` is the reading of the monotonic clock.
    pub(crate) fn record_rotation(&self, session: &Session, now: Duration, overlap: Duration) {
        let mut state = self.lock_state();
        if state.rotations.is_full() && !state.rotations.contains_key(&session.id) {
            state.rotations.retain(|_, rotated| rotated.until > now);
            state.rotations.forget_half(|rotated| rotated.at);
        }
        let (generation, wrote) = (session.generation, session.rotated_at);
        state.rotations.insert(
            session.id,
            LocalRotation { generation, stored_at: wrote, at: now, until: now.saturating_add(overlap) },
        );
    }

    /// Whether the grace period of a rotation by this process has not ended.
    pub(crate) fn is_in_overlap(&self, session: SessionId, now: Duration) -> bool {
        self.lock_state().rotations.get(&session).is_some_and(|rotated| rotated.until > now)
    }

    /// Whether the shared use of the token of this generation was recorded.
    pub(crate) fn was_reported(&self, session: SessionId, generation: i64) -> bool {
        self.lock_state().reported.get(&session).is_some_and(|(recorded, _)| *recorded == generation)
    }

    /// Whether it was recorded less than `span` before `now` of the monotonic clock.
    pub(crate) fn was_reported_within(
        &self,
        session: SessionId,
        generation: i64,
        now: Duration,
        span: Duration,
    ) -> bool {
        let state = self.lock_state();
        let is_recent = |(recorded, at): &(i64, Duration)| *recorded == generation && now.saturating_sub(*at) < span;
        state.reported.get(&session).is_some_and(is_recent)
    }

    /// Remembers that it was recorded, at `now` of the monotonic clock.
    pub(crate) fn record_report(&self, session: SessionId, generation: i64, now: Duration) {
        let mut state = self.lock_state();
        state.reported.forget_half(|(_, at)| *at);
        state.reported.insert(session, (generation, now));
    }

    /// Takes a reading of the database server's clock at `now` of the monotonic clock. If the
    /// server is another one than at the last reading, or its clock has jumped ahead, the time that
    /// this process vouches for restarts.
    pub(crate) fn watch(&self, time: ServerTime, now: Duration) {
        self.lock_state().asking_since(time, now);
    }

    /// What this process knows of a session with this row in the store, at `now` of the monotonic
    /// clock. The reading of the store's clock counts as in [`watch`](Self::watch).
    pub(crate) fn witness(
        &self,
        session: &Session,
        store: Option<StoreClock>,
        now: Duration,
        clock: ClockConfidence,
    ) -> Witness {
        let ClockConfidence { in_doubt, steady_for: steady } = clock;
        let mut state = self.lock_state();
        let up = match store {
            Some(store) => now.saturating_sub(state.asking_since(store.server_time(), now)),
            None => now.saturating_sub(state.started).min(steady),
        };
        let used = |uses: &BoundedMap<SessionId, SessionUse>| uses.get(&session.id).map_or(0, |used| used.generation);
        let used = used(&state.pending).max(used(&state.writing));
        let is_newest = |rotated: &&LocalRotation| {
            rotated.generation == session.generation && rotated.stored_at >= session.rotated_at
        };
        let own_rotation = state.rotations.get(&session.id).filter(is_newest);
        let measured =
            own_rotation.map(|rotated| (now.saturating_sub(rotated.at), rotated.stored_at == session.rotated_at));
        match measured {
            Some((ago, true)) => {
                Witness { used_generation: used, since_rotation: Some(ago), vouched_for: up, in_doubt }
            }
            // The store has lost what this process wrote, or another process has restarted the
            // grace period with a clock that is behind.
            Some((ago, false)) => {
                Witness { used_generation: used, since_rotation: None, vouched_for: up.min(ago), in_doubt }
            }
            None => Witness { used_generation: used, since_rotation: None, vouched_for: up, in_doubt },
        }
    }

    /// Removes rotations whose grace period is over, and old entries on shared use.
    pub(crate) fn forget_expired(&self, now: Duration) {
        let mut state = self.lock_state();
        state.rotations.retain(|_, rotated| rotated.until > now);
        state.reported.retain(|_, (_, at)| now.saturating_sub(*at) < SHARED_REPORT_RETENTION);
    }
}

impl ActivityState {
    /// Since when this process has been connected to its current database server without a jump of
    /// that server's clock.
    fn asking_since(&mut self, time: ServerTime, now: Duration) -> Duration {
        let origin = time.now.millis().saturating_sub(i64::try_from(now.as_millis()).unwrap_or(i64::MAX));
        match &mut self.server {
            Some(watched) if watched.server == time.server => {
                if origin.saturating_sub(watched.origin) > MAX_SERVER_CLOCK_DRIFT_MILLIS {
                    tracing::warn!(
                        milliseconds = origin.saturating_sub(watched.origin),
                        "the clock of the database server has jumped ahead; for one grace period, the ages of rotations are not taken from it"
                    );
                    watched.since = now;
                }
                // Small moves are followed, so that they do not add up to one that looks large.
                watched.origin = origin;
                watched.since
            }
            _ => {
                self.server = Some(ObservedServer { server: time.server, since: now, origin });
                now
            }
        }
    }
}

#[cfg(test)]
mod tests;
