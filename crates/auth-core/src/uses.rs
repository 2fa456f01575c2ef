//! What this process knows of sessions besides the store: which generation has been used, and when it rotated which session.
//!
//! Uses count in memory at once and are written in the background, in batches sorted by session. Rotations are kept with the
//! monotonic clock, so that a step of the wall clock moves no overlap.

use std::collections::hash_map::Entry;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tillgate_domain::{Instant, SessionId};

use crate::Session;
use crate::bounded::BoundedMap;
use crate::clock::Belief;
use crate::judge::Witness;
use crate::ports::{ServerTime, StoreClock, Use};

/// How many bytes it takes where nothing else is said.
const USUAL: usize = 16 << 20;

/// How long it is remembered that a repeat elsewhere was told of.
const TOLD: Duration = Duration::from_hours(24);

#[derive(Clone, Copy)]
struct Rotated {
    generation: i64,
    /// The instant that it wrote. Where the store says a later one, another process wrote that.
    wrote: Option<Instant>,
    at: Duration,
    /// Until when the memory of it matters: its overlap.
    until: Duration,
}

struct Held {
    /// What is to be written. Where the store takes nothing for so long that it is full, a use of another session is not noted, and
    /// the client's next one is: until then a refresh token before the newest is judged as if the newest had not been used.
    pending: BoundedMap<SessionId, Use>,
    writing: BoundedMap<SessionId, Use>,
    /// Where it is full, the store's own instants serve for what it has forgotten.
    rotated: BoundedMap<SessionId, Rotated>,
    /// Of which generation it was told that its token was repeated elsewhere, and when. What it has forgotten is told again.
    told: BoundedMap<SessionId, (i64, Duration)>,
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
pub(crate) struct Uses(Mutex<Held>);

impl Default for Uses {
    fn default() -> Self {
        Self::starting(Duration::ZERO, USUAL)
    }
}

impl Uses {
    /// Nothing is known yet, in a process that started at this time of the monotonic clock. It takes so many bytes at most.
    pub(crate) fn starting(started: Duration, limit: usize) -> Self {
        Self(Mutex::new(Held {
            pending: BoundedMap::new(limit / 8),
            writing: BoundedMap::new(limit / 8),
            rotated: BoundedMap::new(limit / 2),
            told: BoundedMap::new(limit / 4),
            started,
            server: None,
        }))
    }

    /// How many bytes it takes.
    pub(crate) fn bytes(&self) -> usize {
        let held = self.held();
        [held.pending.bytes(), held.writing.bytes(), held.rotated.bytes(), held.told.bytes()].into_iter().sum()
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a use.
    pub(crate) fn note(&self, noted: Use) {
        match self.held().pending.entry(noted.session) {
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
    pub(crate) fn take(&self) -> Vec<Use> {
        let mut guard = self.held();
        let held = &mut *guard;
        for (session, noted) in held.pending.take() {
            match held.writing.entry(session) {
                Some(Entry::Occupied(mut entry)) => {
                    let generation = entry.get().generation.max(noted.generation);
                    entry.insert(Use { generation, ..noted });
                }
                Some(Entry::Vacant(entry)) => {
                    entry.insert(noted);
                }
                None => held.pending.insert(session, noted),
            }
        }
        let mut taken: Vec<Use> = held.writing.values().copied().collect();
        taken.sort_unstable_by_key(|each| each.session);
        taken
    }

    /// This part of what was taken is in the store. What was noted since still counts.
    pub(crate) fn written(&self, part: &[Use]) {
        let mut held = self.held();
        for each in part {
            if held.writing.get(&each.session) == Some(each) {
                held.writing.remove(&each.session);
            }
        }
    }

    /// Notes that this process has rotated a session, which stands as it wrote it, or begun its overlap anew; `now` by the
    /// monotonic clock.
    pub(crate) fn rotated(&self, session: &Session, now: Duration, overlap: Duration) {
        let mut held = self.held();
        if held.rotated.is_full() && !held.rotated.contains_key(&session.id) {
            held.rotated.retain(|_, rotated| rotated.until > now);
            held.rotated.forget_half(|rotated| rotated.at);
        }
        let (generation, wrote) = (session.generation, session.rotated_at);
        held.rotated.insert(session.id, Rotated { generation, wrote, at: now, until: now.saturating_add(overlap) });
    }

    /// Whether this process has rotated the session within its overlap.
    pub(crate) fn lately(&self, session: SessionId, now: Duration) -> bool {
        self.held().rotated.get(&session).is_some_and(|rotated| rotated.until > now)
    }

    /// Whether it has been told that the token of this generation was repeated elsewhere.
    pub(crate) fn told(&self, session: SessionId, generation: i64) -> bool {
        self.held().told.get(&session).is_some_and(|(told, _)| *told == generation)
    }

    /// The same, where it was no longer ago than this; `now` by the monotonic clock.
    pub(crate) fn told_within(&self, session: SessionId, generation: i64, now: Duration, span: Duration) -> bool {
        let held = self.held();
        let lately = |(told, at): &(i64, Duration)| *told == generation && now.saturating_sub(*at) < span;
        held.told.get(&session).is_some_and(lately)
    }

    /// Notes that it has been told, `now` by the monotonic clock.
    pub(crate) fn note_told(&self, session: SessionId, generation: i64, now: Duration) {
        let mut held = self.held();
        held.told.forget_half(|(_, at)| *at);
        held.told.insert(session, (generation, now));
    }

    /// Notes what the clock of the database server says at this time of the monotonic clock. Another server than at the last
    /// reading, or a clock that has jumped since, starts anew what this process vouches for.
    pub(crate) fn watch(&self, time: ServerTime, now: Duration) {
        self.held().asking_since(time, now);
    }

    /// What this process knows of a session that stands like this in the store, at this time of the monotonic clock. Its reading
    /// of the store's clock counts as in [`watch`](Self::watch).
    pub(crate) fn witness(
        &self,
        session: &Session,
        store: Option<StoreClock>,
        now: Duration,
        clock: Belief,
    ) -> Witness {
        let Belief { in_doubt, steady } = clock;
        let mut held = self.held();
        let up = match store {
            Some(store) => now.saturating_sub(held.asking_since(store.server_time(), now)),
            None => now.saturating_sub(held.started).min(steady),
        };
        let used = |uses: &BoundedMap<SessionId, Use>| uses.get(&session.id).map_or(0, |noted| noted.generation);
        let used = used(&held.pending).max(used(&held.writing));
        let own = |rotated: &&Rotated| rotated.generation == session.generation && rotated.wrote >= session.rotated_at;
        let own = held.rotated.get(&session.id).filter(own);
        let measured = own.map(|rotated| (now.saturating_sub(rotated.at), rotated.wrote == session.rotated_at));
        match measured {
            Some((ago, true)) => Witness { used, rotated: Some(ago), up, in_doubt },
            // The store lost what this process wrote, or another has begun the overlap anew by a clock that is behind.
            Some((ago, false)) => Witness { used, rotated: None, up: up.min(ago), in_doubt },
            None => Witness { used, rotated: None, up, in_doubt },
        }
    }

    /// Forgets rotations whose overlap has passed, and repeats elsewhere of the day before.
    pub(crate) fn forget(&self, now: Duration) {
        let mut held = self.held();
        held.rotated.retain(|_, rotated| rotated.until > now);
        held.told.retain(|_, (_, at)| now.saturating_sub(*at) < TOLD);
    }
}

impl Held {
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
    use crate::{Dialect, Epochs, Proved, SessionKind, Terms};

    const SESSION: SessionId = SessionId(Uuid::from_u128(1));
    /// A wall clock that was right all along.
    const STEADY: Belief = Belief { in_doubt: false, steady: Duration::MAX };

    fn session(generation: i64, rotated_at: i64) -> Session {
        let (key, made) = (KeyId(Uuid::nil()), Instant::from_millis(0));
        Session {
            id: SESSION,
            tenant: TenantId(Uuid::nil()),
            kind: SessionKind::Person,
            user: None,
            device: None,
            parent: None,
            dialect: Dialect::new("native"),
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
            used: 0,
            epochs: Epochs::default(),
            proved: Proved { methods: "pwd".to_owned(), at: made },
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

    fn used_as_known(uses: &Uses, generation: i64) -> i64 {
        uses.witness(&session(generation, 1), None, Duration::ZERO, STEADY).used
    }

    #[test]
    fn another_server_starts_anew_what_this_process_vouches_for() {
        let (uses, seconds) = (Uses::starting(Duration::from_secs(10), USUAL), Duration::from_secs);
        let up = |server: Option<i64>, now| {
            let at = Instant::from_millis(i64::try_from(now).unwrap() * 1000);
            let clock = server.map(|server| StoreClock { rotated: None, server, now: at });
            uses.witness(&session(1, 1), clock, seconds(now), STEADY).up
        };
        assert_eq!(up(None, 70), seconds(60), "a store without a clock: since the start");
        assert_eq!([up(Some(7), 100), up(Some(7), 130)], [seconds(0), seconds(30)], "since it was first asked");
        assert_eq!([up(Some(8), 140), up(Some(8), 150)], [seconds(0), seconds(10)], "another one");
        assert_eq!(up(Some(7), 160), seconds(0), "and back: nobody knows what came between");
        let just_believed = Belief { steady: seconds(3), ..STEADY };
        assert_eq!(uses.witness(&session(1, 1), None, seconds(170), just_believed).up, seconds(3));
    }

    #[test]
    fn clock_of_the_server_that_jumps_starts_anew_what_this_process_vouches_for() {
        let (uses, seconds) = (Uses::starting(Duration::ZERO, USUAL), Duration::from_secs);
        let up = |now: u64, off: i64| {
            let at = Instant::from_millis(i64::try_from(now).unwrap() * 1000 + off * 1000);
            let clock = StoreClock { rotated: None, server: 7, now: at };
            uses.witness(&session(1, 1), Some(clock), seconds(now), STEADY).up
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

    fn used(generation: i64, at: i64) -> Use {
        Use { session: SESSION, generation, at: Instant::from_millis(at) }
    }

    #[test]
    fn a_use_counts_from_its_note_until_it_is_in_the_store() {
        let uses = Uses::default();
        let seen = || used_as_known(&uses, 3);
        uses.note(used(3, 10));
        uses.note(used(2, 20));
        assert_eq!(seen(), 3);
        assert_eq!(uses.take(), [used(3, 20)]);
        assert_eq!(seen(), 3, "while it is being written");
        assert_eq!(uses.take(), [used(3, 20)], "a failed write is taken again");
        uses.written(&[used(3, 20)]);
        assert_eq!(seen(), 0, "the store knows it");
        assert!(uses.take().is_empty());
    }

    #[test]
    fn what_is_noted_while_another_writes_is_not_forgotten_with_what_that_has_written() {
        let uses = Uses::default();
        uses.note(used(3, 10));
        let slow = uses.take();
        uses.note(used(4, 20));
        assert_eq!(uses.take(), [used(4, 20)]);
        uses.written(&slow);
        assert_eq!(used_as_known(&uses, 4), 4);
        assert_eq!(uses.take(), [used(4, 20)]);
    }

    #[test]
    fn a_rotation_is_told_for_what_this_process_wrote_only() {
        let uses = Uses::default();
        let (at, overlap) = (Duration::from_secs(100), Duration::from_mins(2));
        uses.rotated(&session(5, 7), at, overlap);
        let later = Duration::from_secs(130);
        let witness = |session: &Session| {
            let witness = uses.witness(session, None, later, STEADY);
            (witness.rotated, witness.up)
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
        assert!(uses.lately(SESSION, later));
        assert!(!uses.lately(SESSION, Duration::from_secs(220)));
    }
}
