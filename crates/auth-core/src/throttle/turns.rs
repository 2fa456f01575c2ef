//! Where logins wait for their turn: one line per key, in this process. Whoever stands first asks again as soon as a charge of
//! the key is settled here, and every 50 ms for those that other processes settle; the others wait for the first to leave.

use std::collections::{HashMap, VecDeque};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Charge;
use crate::ports::CountKey;

/// How often the first of a line asks again on its own.
const ASK: Duration = Duration::from_millis(50);

/// Too many wait already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many logins wait for their turn")]
pub struct NoRoom;

/// The lines.
#[derive(Debug)]
pub struct Turns {
    room: usize,
    lines: Mutex<Lines>,
}

#[derive(Debug, Default)]
struct Lines {
    by_key: HashMap<CountKey, VecDeque<Waiter>>,
    waiting: usize,
    last: u64,
}

#[derive(Debug)]
struct Waiter {
    number: u64,
    wake: SyncSender<()>,
}

impl Turns {
    /// Lines in which so many wait at most, all together: each holds a thread.
    pub fn new(room: usize) -> Self {
        Self { room, lines: Mutex::default() }
    }

    /// A spot for one login, in no line yet. Dropping it leaves the line.
    pub fn spot(&self) -> Spot<'_> {
        Spot { turns: self, stands: None }
    }

    /// A charge has been settled: whoever stands first in its lines asks again.
    pub fn settled(&self, charge: &Charge) {
        let lines = self.lock();
        for key in charge.keys() {
            lines.wake(key);
        }
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.lock().waiting
    }

    fn lock(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lines {
    fn wake(&self, key: CountKey) {
        if let Some(first) = self.by_key.get(&key).and_then(VecDeque::front) {
            // A full channel holds a call that has not been heard yet: one is enough.
            let _ = first.wake.try_send(());
        }
    }

    fn leave(&mut self, stands: &Stands) {
        let Some(line) = self.by_key.get_mut(&stands.key) else { return };
        let was_first = line.front().is_some_and(|first| first.number == stands.number);
        let before = line.len();
        line.retain(|waiter| waiter.number != stands.number);
        self.waiting -= before - line.len();
        if line.is_empty() {
            self.by_key.remove(&stands.key);
        } else if was_first {
            self.wake(stands.key);
        }
    }
}

/// A login that may have to wait.
#[derive(Debug)]
pub struct Spot<'a> {
    turns: &'a Turns,
    stands: Option<Stands>,
}

#[derive(Debug)]
struct Stands {
    key: CountKey,
    number: u64,
    woken: Receiver<()>,
}

impl Spot<'_> {
    /// Waits in the line of this key until it is time to ask again, `at_most` this long. The spot in the line is kept for the
    /// next wait under the same key.
    pub fn wait(&mut self, key: CountKey, at_most: Duration) -> Result<(), NoRoom> {
        if self.stands.as_ref().is_none_or(|stands| stands.key != key) {
            self.leave();
            self.join(key)?;
        }
        if let Some(stands) = &self.stands {
            let span = if self.is_first() { at_most.min(ASK) } else { at_most };
            // Woken or not, it is time to ask: the line itself is what keeps the order.
            let _ = stands.woken.recv_timeout(span);
        }
        Ok(())
    }

    fn join(&mut self, key: CountKey) -> Result<(), NoRoom> {
        let mut lines = self.turns.lock();
        if lines.waiting >= self.turns.room {
            return Err(NoRoom);
        }
        let (wake, woken) = sync_channel(1);
        lines.last += 1;
        lines.waiting += 1;
        let number = lines.last;
        lines.by_key.entry(key).or_default().push_back(Waiter { number, wake });
        self.stands = Some(Stands { key, number, woken });
        Ok(())
    }

    fn is_first(&self) -> bool {
        let lines = self.turns.lock();
        let first = |stands: &Stands| lines.by_key.get(&stands.key).and_then(VecDeque::front).map(|first| first.number);
        self.stands.as_ref().is_some_and(|stands| first(stands) == Some(stands.number))
    }

    fn leave(&mut self) {
        if let Some(stands) = self.stands.take() {
            self.turns.lock().leave(&stands);
        }
    }
}

impl Drop for Spot<'_> {
    fn drop(&mut self) {
        self.leave();
    }
}
