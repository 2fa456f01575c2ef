//! Following the feed: what other processes have ended or changed, and the keys.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use tillgate_domain::{Change, Instant, KeyId, Scope, StoreExt};

use super::Auth;
use crate::Error;
use crate::changes::Moment;
use crate::ports::{Bookmark, Cursor};

/// How long those wait who need a younger view.
const CATCH_UP: Duration = Duration::from_millis(500);

/// How often an unknown key is looked up in the store at most.
const LOOK_UP: Duration = Duration::from_secs(1);

/// How old the view is once looks were missed. They come four times as often.
const MISSED: Duration = Duration::from_secs(1);

/// How long after a look that failed the store counts as away, until another goes well.
const AWAY: Duration = Duration::from_secs(10);

/// How many wait for a look at most.
const CROWD: usize = 128;

#[derive(Default)]
struct Place {
    bookmark: Option<Bookmark>,
    keys: Moment,
    /// When somebody said that the clock is right.
    accepted: BTreeSet<Instant>,
    looked_up: Option<Duration>,
    /// Where the feed stood when this process first held a key that is not in use yet.
    held_at: HashMap<KeyId, Cursor>,
}

/// When there were looks, by the monotonic clock.
#[derive(Clone, Copy, Default)]
struct Looks {
    /// When the newest look began that was taken up whole.
    taken_up: Option<Duration>,
    /// When the newest look ended that failed, if none went well since.
    failed: Option<Duration>,
    /// The oldest unit of work that was open at the newest look, and when the first look began that found it to be the oldest.
    oldest: Option<(Cursor, Duration)>,
}

/// How far this process follows.
#[derive(Default)]
pub(crate) struct Follower {
    place: Mutex<Place>,
    looks: Mutex<Looks>,
    moved: Condvar,
    crowd: AtomicUsize,
    closed: AtomicBool,
}

impl Follower {
    fn place(&self) -> MutexGuard<'_, Place> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The place, unless somebody else is taking a look.
    fn try_place(&self) -> Option<MutexGuard<'_, Place>> {
        match self.place.try_lock() {
            Ok(place) => Some(place),
            Err(TryLockError::Poisoned(place)) => Some(place.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    fn looks(&self) -> MutexGuard<'_, Looks> {
        self.looks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether all keys of the store could be opened when they last changed.
    pub(crate) fn keys_open(&self) -> bool {
        !self.closed.load(Ordering::Relaxed)
    }

    /// How far the feed is applied.
    pub(crate) fn cursor(&self) -> Option<Cursor> {
        self.place().bookmark.as_ref().map(Bookmark::whole)
    }

    /// Where the feed stood when this process first held the key.
    pub(crate) fn held_at(&self, key: KeyId) -> Option<Cursor> {
        self.place().held_at.get(&key).copied()
    }
}

impl Auth {
    /// Takes one look at the feed: what others have ended or changed holds here from now on. Chores do so every 250 ms.
    pub fn follow(&self) -> Result<(), Error> {
        self.follow_from(self.follower.place())
    }

    fn follow_from(&self, place: MutexGuard<'_, Place>) -> Result<(), Error> {
        let followed = self.take_up(place);
        let mut looks = self.follower.looks();
        match &followed {
            Ok((began, oldest)) => {
                let known = looks.oldest.filter(|(known, _)| Some(*known) == *oldest);
                let oldest = known.or(oldest.map(|oldest| (oldest, *began)));
                *looks = Looks { taken_up: Some(*began), failed: None, oldest };
            }
            Err(_) => looks.failed = Some(self.clock.monotonic()),
        }
        drop(looks);
        self.follower.moved.notify_all();
        followed.map(drop)
    }

    /// Takes a look and takes up what it finds; says when it began, and the oldest unit of work that was open.
    fn take_up(&self, mut place: MutexGuard<'_, Place>) -> Result<(Duration, Option<Cursor>), Error> {
        let began = self.clock.monotonic();
        let from = place.bookmark.clone();
        self.changes.begin_look();
        let look = self.store.read(|tx| tx.feed().look(from.as_ref()))?;
        if let Some(time) = look.clock {
            self.uses.watch(time, self.clock.monotonic());
        }
        for found in &look.changes {
            // A row may come again: a clock is accepted once for each time that somebody says so. What is read at the start was
            // said of an earlier clock.
            if found.change == Change::Touched(Scope::Clock) && place.accepted.insert(found.at) && from.is_some() {
                self.time.accept();
            }
        }
        self.changes.follow(&look, began);
        let oldest = look.next.open.first().copied();
        place.bookmark = Some(look.next);
        let keys = self.changes.keys();
        if keys > place.keys || from.is_none() {
            self.follow_keys(&mut place)?;
            place.keys = keys;
        }
        Ok((began, oldest))
    }

    fn follow_keys(&self, place: &mut Place) -> Result<(), Error> {
        let stored = self.store.read(|tx| tx.keys().all())?;
        let followed = self.keyring.follow(&stored);
        self.follower.closed.store(followed.is_err(), Ordering::Relaxed);
        followed.map_err(|error| Error::Fault(error.to_string()))?;
        if let Some(cursor) = place.bookmark.as_ref().map(Bookmark::whole) {
            let held = self.keyring.held();
            place.held_at.retain(|key, _| held.waiting().contains(key));
            for key in held.waiting() {
                place.held_at.entry(*key).or_insert(cursor);
            }
        }
        Ok(())
    }

    /// Looks the keys up once more, for a token that names an unknown one: one reader for all, at most once a second. Who comes
    /// sooner waits for the next look at the feed, which brings new keys: nobody is refused for what this process has not read.
    pub(super) fn look_up_keys(&self) -> Result<(), Error> {
        let arrived = self.clock.monotonic();
        {
            let mut place = self.follower.place();
            let lately = place.looked_up.is_some_and(|at| arrived.saturating_sub(at) < LOOK_UP);
            if !lately || !self.chores.running() {
                self.follow_keys(&mut place)?;
                place.looked_up = Some(arrived);
                return Ok(());
            }
        }
        self.wait_for_look(arrived)
    }

    /// Waits for a look at the feed that begins now or later, half a second at most. Few may wait: each holds a thread.
    fn wait_for_look(&self, arrived: Duration) -> Result<(), Error> {
        let missing = |looks: &Looks| looks.taken_up < Some(arrived);
        let waiting = |looks: &mut Looks| missing(looks) && looks.failed < Some(arrived);
        let room = self.follower.crowd.fetch_add(1, Ordering::Relaxed) < CROWD;
        let mut looks = self.follower.looks();
        if room {
            let waited = self.follower.moved.wait_timeout_while(looks, CATCH_UP, waiting);
            looks = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        self.follower.crowd.fetch_sub(1, Ordering::Relaxed);
        if missing(&looks) { Err(Error::unavailable("what has changed could not be read in time")) } else { Ok(()) }
    }

    /// How long the oldest unit of work has been open that was found open at every look since: what it writes is still to come.
    pub fn oldest_open(&self) -> Duration {
        let oldest = self.follower.looks().oldest;
        oldest.map_or(Duration::ZERO, |(_, since)| self.clock.monotonic().saturating_sub(since))
    }

    /// Whether the view of what has changed is young enough to be trusted.
    pub(super) fn fresh(&self) -> bool {
        self.view_age().is_some_and(|age| age <= self.settings.max_age)
    }

    /// Whether the view of what has changed is young enough to be trusted, and looks at the feed go on.
    ///
    /// A process that was stopped for a while (`SIGSTOP`, a frozen machine) has missed looks, and looks before it trusts its view.
    /// Where looks are tried and fail, the store is away, and the view is trusted for `max_age`.
    pub(super) fn looks_go_on(&self) -> bool {
        let Some(age) = self.view_age() else { return false };
        age <= self.settings.max_age && (age <= MISSED || !self.chores.running() || self.store_is_away())
    }

    fn store_is_away(&self) -> bool {
        let now = self.clock.monotonic();
        self.follower.looks().failed.is_some_and(|at| now.saturating_sub(at) <= AWAY)
    }

    /// Waits for a view that can be trusted, half a second at most: one reader catches up for all who wait. Where looks were
    /// missed and none can be had, a view that is young enough is trusted all the same.
    pub(super) fn catch_up(&self) -> Result<(), Error> {
        if self.looks_go_on() {
            return Ok(());
        }
        if !self.chores.running() {
            return self.follow();
        }
        let arrived = self.clock.monotonic();
        // Where looks were only missed, the first who comes takes one: the chores may be busy with something else.
        let place = if self.fresh() { self.follower.try_place() } else { None };
        let looked = match place {
            Some(place) => self.follow_from(place),
            None => self.wait_for_look(arrived),
        };
        if looked.is_err() && self.fresh() { Ok(()) } else { looked }
    }
}
