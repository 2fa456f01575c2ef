//! What this process knows of sessions besides the store: which generation has been used, and when it rotated which session.
//!
//! Uses count in memory at once and are written in the background, in batches sorted by session. Rotations are kept with the
//! monotonic clock, so that a step of the wall clock moves no overlap.

use std::collections::hash_map::Entry;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tillgate_domain::{Instant, SessionId};

use crate::Session;
use crate::bounded_map::BoundedMap;
use crate::clock::ClockConfidence;
use crate::judge::Witness;
use crate::ports::{ServerTime, SessionUse, StoreClock};

/// How many bytes it takes where nothing else is said.
const DEFAULT_BYTES: usize = 16 << 20;

/// How long it is remembered that a repeat elsewhere was told of.
const SHARED_REPORT_RETENTION: Duration = Duration::from_hours(24);

#[derive(Clone, Copy)]
struct LocalRotation {
    generation: i64,
    /// The instant that it wrote. Where the store says a later one, another process wrote that.
    stored_at: Option<Instant>,
    at: Duration,
    /// Until when the memory of it matters: its overlap.
    until: Duration,
}

struct ActivityState {
    /// What is to be written. Where the store takes nothing for so long that it is full, a use of another session is not noted, and
    /// the client's next one is: until then a refresh token before the newest is judged as if the newest had not been used.
    pending: BoundedMap<SessionId, SessionUse>,
    writing: BoundedMap<SessionId, SessionUse>,
    /// Where it is full, the store's own instants serve for what it has forgotten.
    rotations: BoundedMap<SessionId, LocalRotation>,
    /// Of which generation it was told that its token was repeated elsewhere, and when. What it has forgotten is told again.
    reported: BoundedMap<SessionId, (i64, Duration)>,
    /// When this process started.
    started: Duration,
    /// The database server that this process asks.
    server: Option<Watched>,
}

/// A database server whose clock this process watches.
#[derive(Clone, Copy)]
struct Watched {
    server: i64,
    /// Since when, by the monotonic clock, it has been this server and its clock has not jumped ahead.
    since: Duration,
    /// What the server's clock said when this process's monotonic clock began, in milliseconds since the Unix epoch.
    origin: i64,
}

/// How far the clock of a database server may get ahead of the monotonic clock between two readings, in milliseconds: as far as the
/// wall clock may. Readings are late by what a thread had to wait. A clock that falls back makes no rotation older, and is followed.
const JUMP: i64 = 60_000;

/// Uses and rotations.
pub(crate) struct ActivityTracker(Mutex<ActivityState>);

impl Default for ActivityTracker {
    fn default() -> Self {
        Self::new(Duration::ZERO, DEFAULT_BYTES)
    }
}

impl ActivityTracker {
    /// Nothing is known yet, in a process that started at this time of the monotonic clock. It takes so many bytes at most.
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

    /// How many bytes it takes.
    pub(crate) fn size_bytes(&self) -> usize {
        let held = self.lock_state();
        [held.pending.size_bytes(), held.writing.size_bytes(), held.rotations.size_bytes(), held.reported.size_bytes()]
            .into_iter()
            .sum()
    }

    fn lock_state(&self) -> MutexGuard<'_, ActivityState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a use.
    pub(crate) fn record_use(&self, noted: SessionUse) {
        match self.lock_state().pending.entry(noted.session) {
            Some(Entry::Occupied(mut entry)) => {
                let known = entry.get_mut();
                known.generation = known.generation.max(noted.generation);
                known.at = known.at.max(noted.at);
            }
            Some(Entry::Vacant(entry)) => {
                entry.insert(noted);
            }
            None => {}
        }
    }

    /// Takes what is to be written, in the order of sessions. It still counts until [`written`](Self::written).
    pub(crate) fn take_pending(&self) -> Vec<SessionUse> {
        let mut guard = self.lock_state();
        let held = &mut *guard;
        for (session, noted) in held.pending.take() {
            match held.writing.entry(session) {
                Some(Entry::Occupied(mut entry)) => {
                    let generation = entry.get().generation.max(noted.generation);
                    entry.insert(SessionUse { generation, ..noted });
                }
                Some(Entry::Vacant(entry)) => {
                    entry.insert(noted);
                }
                None => held.pending.insert(session, noted),
            }
        }
        let mut taken: Vec<SessionUse> = held.writing.values().copied().collect();
        taken.sort_unstable_by_key(|each| each.session);
        taken
    }

    /// This part of what was taken is in the store. What was noted since still counts.
    pub(crate) fn mark_written(&self, part: &[SessionUse]) {
        let mut held = self.lock_state();
        for each in part {
            if held.writing.get(&each.session) == Some(each) {
                held.writing.remove(&each.session);
            }
        }
    }

    /// Notes that this process has rotated a session, which stands as it wrote it, or begun its overlap anew; `now` by the
    /// monotonic clock.
    pub(crate) fn record_rotation(&self, session: &Session, now: Duration, overlap: Duration) {
        let mut held = self.lock_state();
        if held.rotations.is_full() && !held.rotations.contains_key(&session.id) {
            held.rotations.retain(|_, rotated| rotated.until > now);
            held.rotations.forget_half(|rotated| rotated.at);
        }
        let (generation, wrote) = (session.generation, session.rotated_at);
        held.rotations.insert(
            session.id,
            LocalRotation { generation, stored_at: wrote, at: now, until: now.saturating_add(overlap) },
        );
    }

    /// Whether this process has rotated the session within its overlap.
    pub(crate) fn is_in_overlap(&self, session: SessionId, now: Duration) -> bool {
        self.lock_state().rotations.get(&session).is_some_and(|rotated| rotated.until > now)
    }

    /// Whether it has been told that the token of this generation was repeated elsewhere.
    pub(crate) fn was_reported(&self, session: SessionId, generation: i64) -> bool {
        self.lock_state().reported.get(&session).is_some_and(|(told, _)| *told == generation)
    }

    /// The same, where it was no longer ago than this; `now` by the monotonic clock.
    pub(crate) fn was_reported_within(
        &self,
        session: SessionId,
        generation: i64,
        now: Duration,
        span: Duration,
    ) -> bool {
        let held = self.lock_state();
        let lately = |(told, at): &(i64, Duration)| *told == generation && now.saturating_sub(*at) < span;
        held.reported.get(&session).is_some_and(lately)
    }

    /// Notes that it has been told, `now` by the monotonic clock.
    pub(crate) fn record_report(&self, session: SessionId, generation: i64, now: Duration) {
        let mut held = self.lock_state();
        held.reported.forget_half(|(_, at)| *at);
        held.reported.insert(session, (generation, now));
    }

    /// Notes what the clock of the database server says at this time of the monotonic clock. Another server than at the last
    /// reading, or a clock that has jumped since, starts anew what this process vouches for.
    pub(crate) fn watch(&self, time: ServerTime, now: Duration) {
        self.lock_state().asking_since(time, now);
    }

    /// What this process knows of a session that stands like this in the store, at this time of the monotonic clock. Its reading
    /// of the store's clock counts as in [`watch`](Self::watch).
    pub(crate) fn witness(
        &self,
        session: &Session,
        store: Option<StoreClock>,
        now: Duration,
        clock: ClockConfidence,
    ) -> Witness {
        let ClockConfidence { in_doubt, steady_for: steady } = clock;
        let mut held = self.lock_state();
        let up = match store {
            Some(store) => now.saturating_sub(held.asking_since(store.server_time(), now)),
            None => now.saturating_sub(held.started).min(steady),
        };
        let used = |uses: &BoundedMap<SessionId, SessionUse>| uses.get(&session.id).map_or(0, |noted| noted.generation);
        let used = used(&held.pending).max(used(&held.writing));
        let own = |rotated: &&LocalRotation| {
            rotated.generation == session.generation && rotated.stored_at >= session.rotated_at
        };
        let own = held.rotations.get(&session.id).filter(own);
        let measured = own.map(|rotated| (now.saturating_sub(rotated.at), rotated.stored_at == session.rotated_at));
        match measured {
            Some((ago, true)) => {
                Witness { used_generation: used, since_rotation: Some(ago), vouched_for: up, in_doubt }
            }
            // The store lost what this process wrote, or another has begun the overlap anew by a clock that is behind.
            Some((ago, false)) => {
                Witness { used_generation: used, since_rotation: None, vouched_for: up.min(ago), in_doubt }
            }
            None => Witness { used_generation: used, since_rotation: None, vouched_for: up, in_doubt },
        }
    }

    /// Forgets rotations whose overlap has passed, and repeats elsewhere of the day before.
    pub(crate) fn forget_expired(&self, now: Duration) {
        let mut held = self.lock_state();
        held.rotations.retain(|_, rotated| rotated.until > now);
        held.reported.retain(|_, (_, at)| now.saturating_sub(*at) < SHARED_REPORT_RETENTION);
    }
}

impl ActivityState {
    /// Since when this process has asked the database server that it asks now, without a jump ahead of that server's clock.
    fn asking_since(&mut self, time: ServerTime, now: Duration) -> Duration {
        let origin = time.now.millis().saturating_sub(i64::try_from(now.as_millis()).unwrap_or(i64::MAX));
        match &mut self.server {
            Some(watched) if watched.server == time.server => {
                if origin.saturating_sub(watched.origin) > JUMP {
                    tracing::warn!(
                        milliseconds = origin.saturating_sub(watched.origin),
                        "the clock of the database server has jumped ahead: for one overlap no refresh token is judged by it"
                    );
                    watched.since = now;
                }
                // small moves are followed, so that they do not add up to one that looks large
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
    fn clock_of_the_server_that_jumps_starts_anew_what_this_process_vouches_for() {
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
