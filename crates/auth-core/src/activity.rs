//! What this process knows of sessions before the store does: which generation is in use, and which
//! sessions it has rotated.
//!
//! Uses count in memory at once and are written in the background, in batches sorted by session.
//! Rotations are dated by the monotonic clock, so that a step of the wall clock moves no grace
//! period.

use std::collections::hash_map::Entry;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tillgate_domain::{Instant, SessionId};

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
    /// If this is full, the timestamps of the store replace what is dropped.
    rotations: BoundedMap<SessionId, LocalRotation>,
    /// For which generation, and when, the shared use of its token was recorded. What is dropped is
    /// recorded again.
    reported: BoundedMap<SessionId, (i64, Duration)>,
    /// When this process started, by the monotonic clock.
    started: Duration,
    /// The database server to which this process is connected.
    server: Option<Watched>,
}

/// A database server whose clock this process compares with its own.
#[derive(Clone, Copy)]
struct Watched {
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
            reported: BoundedMap::new(limit / 4),
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
        self.lock_state().reported.get(&session).is_some_and(|(told, _)| *told == generation)
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
        let recent = |(told, at): &(i64, Duration)| *told == generation && now.saturating_sub(*at) < span;
        state.reported.get(&session).is_some_and(recent)
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
        let own = |rotated: &&LocalRotation| {
            rotated.generation == session.generation && rotated.stored_at >= session.rotated_at
        };
        let own = state.rotations.get(&session.id).filter(own);
        let measured = own.map(|rotated| (now.saturating_sub(rotated.at), rotated.stored_at == session.rotated_at));
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
                self.server = Some(Watched { server: time.server, since: now, origin });
                now
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tillgate_domain::{KeyId, TenantId};
    use uuid::Uuid;

    use super::*;
    use crate::{AuthenticationInfo, DialectName, Epochs, SessionKind, Terms};

    const SESSION: SessionId = SessionId(Uuid::from_u128(1));
    /// A wall clock that was right all along.
    const STEADY: ClockConfidence = ClockConfidence { in_doubt: false, steady_for: Duration::MAX };

    fn session(generation: i64, rotated_at: i64) -> Session {
        let (key, made) = (KeyId(Uuid::nil()), Instant::from_millis(0));
        Session {
            id: SESSION,
            tenant: TenantId(Uuid::nil()),
            kind: SessionKind::Person,
            user: None,
            device: None,
            parent: None,
            dialect: DialectName::new("native"),
            terms: Terms {
                access: Duration::ZERO,
                refresh: None,
                absolute: None,
                midnight: false,
                exchange_overlap: None,
            },
            generation,
            key,
            previous_key: key,
            used_generation: 0,
            epochs: Epochs::default(),
            authentication: AuthenticationInfo { methods: "pwd".to_owned(), at: made },
            address: None,
            rotated_from: None,
            thumbprint: None,
            created_at: made,
            rotated_at: Some(Instant::from_millis(rotated_at)),
            last_used_at: None,
            expires_at: None,
            ended: None,
        }
    }

    fn used_as_known(uses: &ActivityTracker, generation: i64) -> i64 {
        uses.witness(&session(generation, 1), None, Duration::ZERO, STEADY).used_generation
    }

    #[test]
    fn changed_database_server_resets_vouched_time() {
        let (uses, seconds) = (ActivityTracker::new(Duration::from_secs(10), DEFAULT_BYTES), Duration::from_secs);
        let up = |server: Option<i64>, now| {
            let at = Instant::from_millis(i64::try_from(now).unwrap() * 1000);
            let clock = server.map(|server| StoreClock { since_rotation: None, server, now: at });
            uses.witness(&session(1, 1), clock, seconds(now), STEADY).vouched_for
        };
        assert_eq!(up(None, 70), seconds(60), "a store without a clock: since the start");
        assert_eq!([up(Some(7), 100), up(Some(7), 130)], [seconds(0), seconds(30)], "since it was first asked");
        assert_eq!([up(Some(8), 140), up(Some(8), 150)], [seconds(0), seconds(10)], "another one");
        assert_eq!(up(Some(7), 160), seconds(0), "and back: nobody knows what came between");
        let just_believed = ClockConfidence { steady_for: seconds(3), ..STEADY };
        assert_eq!(uses.witness(&session(1, 1), None, seconds(170), just_believed).vouched_for, seconds(3));
    }

    #[test]
    fn jumping_server_clock_resets_vouched_time() {
        let (uses, seconds) = (ActivityTracker::new(Duration::ZERO, DEFAULT_BYTES), Duration::from_secs);
        let up = |now: u64, off: i64| {
            let at = Instant::from_millis(i64::try_from(now).unwrap() * 1000 + off * 1000);
            let clock = StoreClock { since_rotation: None, server: 7, now: at };
            uses.witness(&session(1, 1), Some(clock), seconds(now), STEADY).vouched_for
        };
        assert_eq!([up(100, 0), up(700, 0)], [seconds(0), seconds(600)]);
        assert_eq!([up(710, 60), up(720, 110)], [seconds(610), seconds(620)], "small moves are followed");
        for off in [171, 7200] {
            assert_eq!([up(800, off), up(850, off)], [seconds(0), seconds(50)], "{off}");
        }
        assert_eq!(up(900, -3600), seconds(100), "it fell back, which makes nothing older");
        uses.watch(ServerTime { server: 7, now: Instant::from_millis(910_000) }, seconds(910));
        assert_eq!(up(920, -3600), seconds(10), "ahead and back between two refreshes");
    }

    fn used(generation: i64, at: i64) -> SessionUse {
        SessionUse { session: SESSION, generation, at: Instant::from_millis(at) }
    }

    #[test]
    fn use_counts_from_recording_until_stored() {
        let uses = ActivityTracker::default();
        let seen = || used_as_known(&uses, 3);
        uses.record_use(used(3, 10));
        uses.record_use(used(2, 20));
        assert_eq!(seen(), 3);
        assert_eq!(uses.take_pending(), [used(3, 20)]);
        assert_eq!(seen(), 3, "while it is being written");
        assert_eq!(uses.take_pending(), [used(3, 20)], "a failed write is taken again");
        uses.mark_written(&[used(3, 20)]);
        assert_eq!(seen(), 0, "the store knows it");
        assert!(uses.take_pending().is_empty());
    }

    #[test]
    fn use_recorded_during_write_is_kept() {
        let uses = ActivityTracker::default();
        uses.record_use(used(3, 10));
        let slow = uses.take_pending();
        uses.record_use(used(4, 20));
        assert_eq!(uses.take_pending(), [used(4, 20)]);
        uses.mark_written(&slow);
        assert_eq!(used_as_known(&uses, 4), 4);
        assert_eq!(uses.take_pending(), [used(4, 20)]);
    }

    #[test]
    fn rotation_age_is_known_for_own_rotations_only() {
        let uses = ActivityTracker::default();
        let (at, overlap) = (Duration::from_secs(100), Duration::from_mins(2));
        uses.record_rotation(&session(5, 7), at, overlap);
        let later = Duration::from_secs(130);
        let witness = |session: &Session| {
            let witness = uses.witness(session, None, later, STEADY);
            (witness.since_rotation, witness.vouched_for)
        };
        let own = Duration::from_secs(30);
        assert_eq!(witness(&session(5, 7)), (Some(own), later));
        assert_eq!(witness(&session(6, 7)), (None, later), "another process has rotated it since");
        assert_eq!(witness(&session(5, 8)), (None, later), "another process has begun its overlap anew");
        assert_eq!(
            witness(&session(5, 6)),
            (None, own),
            "the store went back, or a clock did: it is no older than that"
        );
        assert!(uses.is_in_overlap(SESSION, later));
        assert!(!uses.is_in_overlap(SESSION, Duration::from_secs(220)));
    }
}
