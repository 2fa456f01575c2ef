//! Chores: what the engine does besides answering. Each can be called by hand; a built engine does them on a thread of its own
//! until it is dropped.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};
use std::time::Duration;

use tillgate_domain::{Instant, StoreExt, Stored};

use super::Auth;
use super::signed::NEAR;
use crate::Error;
use crate::ports::{AuthTx, MachineClock, Node};
use crate::terms::LONGEST_ACCESS;
use crate::throttle::REMEMBERED;

/// How often the feed is looked at.
const LOOK: Duration = Duration::from_millis(250);

/// How often uses are written.
const WRITE_USES: Duration = Duration::from_secs(1);

/// How often this process says how far it follows.
const SAY: Duration = Duration::from_secs(5);

/// How long ago a process may have said so and still be counted as live.
pub(super) const LIVE: Duration = Duration::from_mins(1);

/// How often what nobody needs is thrown away.
const SWEEP: Duration = Duration::from_mins(1);

/// How far past what the store has seen, and the time since, a process may remove on the word of its clock alone.
const TRUST: Duration = Duration::from_hours(24);

/// How many rows one unit of work removes.
const BATCH: u32 = 500;

/// How many uses one unit of work notes.
const USES: usize = 1_000;

/// How long changes are kept in the store: no access token lives that long.
const KEEP_CHANGES: Duration = Duration::from_hours(7 * 24);

/// How long signatures are remembered: twice as long as one can be good that is seen as early as can be, so that processes whose
/// clocks differ by minutes forget none too soon.
const KEEP_SIGNATURES: Duration = NEAR.saturating_mul(4);

/// How long it is remembered that a process was there, and what it said of its machine's clock.
const KEEP_NODES: Duration = Duration::from_hours(7 * 24);

/// How long the memory keeps ended sessions: the life of the longest token, and an hour.
const REMEMBER_ENDED: Duration = LONGEST_ACCESS.saturating_add(Duration::from_hours(1));

/// What a sweep removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Sessions that had been over for long.
    pub sessions: u32,
    /// Changes that no living token can be older than.
    pub changes: u32,
    /// Counts of wrong passwords that nothing has touched, and wrong passwords that were remembered for a day.
    pub attempts: u32,
    /// Places without a late success.
    pub places: u32,
    /// Signatures that are too old to be good again.
    pub signatures: u32,
}

/// When which chore was done last, and the thread that does them.
#[derive(Default)]
pub(crate) struct Timetable {
    done: Mutex<Done>,
    running: AtomicBool,
    /// Whether this process has left: held while it says so and while it says that it is there, so that neither overtakes the other.
    left: Mutex<bool>,
    stop: Arc<(Mutex<bool>, Condvar)>,
}

#[derive(Default)]
struct Done {
    uses: Duration,
    said: Duration,
    swept: Duration,
}

impl Timetable {
    /// Whether a thread does the chores.
    pub(super) fn running(&self) -> bool {
        self.running.load(Ordering::Relaxed)
    }
}

impl Drop for Timetable {
    fn drop(&mut self) {
        *self.stop.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.stop.1.notify_all();
    }
}

impl Auth {
    /// Does the chores on a thread of their own until the engine is dropped.
    pub(super) fn start_chores(auth: &Arc<Self>) -> std::io::Result<()> {
        let (weak, stop) = (Arc::downgrade(auth), Arc::clone(&auth.chores.stop));
        std::thread::Builder::new().name("tillgate-chores".to_owned()).spawn(move || keep_house(&weak, &stop))?;
        auth.chores.running.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Does what is due. What fails is logged and done again at the next call.
    pub fn chore(&self) {
        let now = self.clock.monotonic();
        let due = |last: &mut Duration, every: Duration| {
            let due = *last == Duration::ZERO || now.saturating_sub(*last) >= every;
            if due {
                *last = now.max(Duration::from_nanos(1));
            }
            due
        };
        let (uses, say, sweep) = {
            let mut done = self.chores.done.lock().unwrap_or_else(PoisonError::into_inner);
            (due(&mut done.uses, WRITE_USES), due(&mut done.said, SAY), due(&mut done.swept, SWEEP))
        };
        log("following the feed", self.follow());
        if uses {
            log("writing uses", self.write_uses());
            log("telling of refusals", self.tell_refusals(false));
        }
        if say {
            log("saying how far this process follows", self.say());
        }
        if sweep {
            self.changes.forget(REMEMBER_ENDED);
            self.uses.forget(now);
            log("promoting keys", self.promote_keys());
            if self.sweeps() {
                log("retiring keys", self.retire_keys());
                log("sweeping", self.sweep(&mut |_| ()).map(|_| ()));
            }
        }
    }

    /// Writes the uses that memory holds: `used` and `last_used_at`.
    pub fn write_uses(&self) -> Result<(), Error> {
        let taken = self.uses.take();
        for part in taken.chunks(USES) {
            self.store.write(|tx| tx.sessions().note(part))?;
            self.uses.written(part);
        }
        Ok(())
    }

    /// Says how far this process follows the feed; nothing once it has left.
    pub fn say(&self) -> Result<(), Error> {
        let Some(applied) = self.follower.cursor() else { return Ok(()) };
        let clock = self.clock.boot_id().zip(self.time.origin());
        let clock = clock.map(|(boot, origin)| MachineClock { boot, origin });
        let left = self.chores.left.lock().unwrap_or_else(PoisonError::into_inner);
        if *left {
            return Ok(());
        }
        let node = Node { id: self.node, applied, seen_at: self.time().at, clock };
        Ok(self.store.write(|tx| tx.nodes().note(&node))?)
    }

    /// Leaves in good order: writes what memory holds, and tells the others not to wait for this process.
    pub fn leave(&self) -> Result<(), Error> {
        self.write_uses()?;
        self.tell_refusals(true)?;
        let mut left = self.chores.left.lock().unwrap_or_else(PoisonError::into_inner);
        let at = self.time().at;
        self.store.write(|tx| tx.nodes().leave(self.node, at))?;
        *left = true;
        Ok(())
    }

    /// Whether this process removes by itself what nobody needs any more: the clock is not in doubt, and it has run for
    /// [`Settings::sweep_delay`](super::Settings::sweep_delay).
    pub fn sweeps(&self) -> bool {
        !self.time().in_doubt && self.up() >= self.settings.sweep_delay
    }

    /// The instant by which it is judged what nobody needs any more.
    ///
    /// What is removed by a wrong clock is gone for good, and a clock that is wrong at the start looks like any other. So it is
    /// never later than what the store had seen before this process first wrote to it, and the time that has passed since by the
    /// monotonic clock, and a day. A process that has just started has seen nothing of its clock, and goes without the day.
    ///
    /// # Errors
    /// [`Error::Unavailable`] while the clock is in doubt.
    pub fn sweep_instant(&self) -> Result<Instant, Error> {
        let time = self.time();
        if time.in_doubt {
            return Err(Error::unavailable("the clock is in doubt: nothing is removed by it"));
        }
        // whatever is set: signatures of before the start must be too old by then to be good again
        let settled = self.up() >= self.settings.sweep_delay.max(KEEP_SIGNATURES);
        let trust = if settled { TRUST } else { Duration::ZERO };
        Ok(time.at.min(self.start.newest.after(self.up()).after(trust)))
    }

    /// How long this process has run, by the monotonic clock.
    fn up(&self) -> Duration {
        self.clock.monotonic().saturating_sub(self.start.at)
    }

    /// Removes what nobody needs any more at [`sweep_instant`](Self::sweep_instant), in small units of work, and tells of each
    /// how much is gone so far. Nothing is removed while the clock is in doubt.
    pub fn sweep(&self, progress: &mut dyn FnMut(Swept)) -> Result<Swept, Error> {
        let mut swept = Swept::default();
        let now = self.sweep_instant()?;
        let keep = self.settings.keep_ended;
        self.sweep_part(now.before(keep), &|tx, before| tx.sessions().sweep(before, BATCH), &mut |count| {
            swept.sessions += count;
            progress(swept);
        })?;
        self.sweep_part(now.before(KEEP_CHANGES), &|tx, before| tx.feed().sweep(before, BATCH), &mut |count| {
            swept.changes += count;
            progress(swept);
        })?;
        self.sweep_part(
            now.before(self.settings.throttle.kept_for()),
            &|tx, before| tx.attempts().sweep(before, BATCH),
            &mut |count| {
                swept.attempts += count;
                progress(swept);
            },
        )?;
        self.sweep_part(
            now.before(REMEMBERED),
            &|tx, before| tx.attempts().sweep_remembered(before, BATCH),
            &mut |count| {
                swept.attempts += count;
                progress(swept);
            },
        )?;
        let keep = self.settings.throttle.known_for;
        self.sweep_part(now.before(keep), &|tx, before| tx.places().sweep(before, BATCH), &mut |count| {
            swept.places += count;
            progress(swept);
        })?;
        let keep = KEEP_SIGNATURES;
        self.sweep_part(now.before(keep), &|tx, before| tx.signatures().sweep(before, BATCH), &mut |count| {
            swept.signatures += count;
            progress(swept);
        })?;
        self.store.write(|tx| tx.nodes().sweep(now.before(KEEP_NODES)))?;
        Ok(swept)
    }

    fn sweep_part(
        &self,
        before: Instant,
        part: &dyn Fn(&mut dyn AuthTx, Instant) -> Stored<u32>,
        counted: &mut dyn FnMut(u32),
    ) -> Result<(), Error> {
        loop {
            let removed = self.store.write(|tx| part(tx, before))?;
            if removed > 0 {
                counted(removed);
            }
            if removed < BATCH {
                return Ok(());
            }
        }
    }
}

fn keep_house(auth: &Weak<Auth>, stop: &(Mutex<bool>, Condvar)) {
    loop {
        let Some(auth) = auth.upgrade() else { return };
        auth.chore();
        drop(auth);
        let stopped = stop.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = stop.1.wait_timeout_while(stopped, LOOK, |stopped| !*stopped);
        if *waited.unwrap_or_else(PoisonError::into_inner).0 {
            return;
        }
    }
}

fn log(chore: &str, done: Result<(), Error>) {
    if let Err(error) = done {
        tracing::warn!(%error, "{chore} failed; it is done again");
    }
}
