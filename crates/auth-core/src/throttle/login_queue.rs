//! Where logins wait for their turn: one line per key, in this process. Whoever position first asks again as soon as a charge of
//! the key is settled here, and every 50 ms for those that other processes settle; the others wait for the first to leave.
//!
//! Each that waits holds a thread, so all lines together have a bound, and room is given as in the queue of the passwords: strangers
//! take half of it at most and make room for clients that are known, and a network that has few waiting displaces one of the network
//! that has the most.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Charge;
use crate::cancellation::Cancellation;
use crate::passwords::{Lane, LaneLimits, Lanes};
use crate::ports::CountKey;

/// How often the first of a line asks again on its own.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// A turn that a login is to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// In which line.
    pub key: CountKey,
    /// Whether its client is known.
    pub lane: Lane,
    /// From which address it comes.
    pub address: Option<IpAddr>,
}

/// Too many wait already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many logins wait for their turn")]
pub struct QueueFull;

/// The lines.
#[derive(Debug)]
pub struct LoginQueue {
    lines: Mutex<WaitLists>,
}

#[derive(Debug)]
struct WaitLists {
    by_key: HashMap<CountKey, VecDeque<Waiter>>,
    /// Who has room: the place of each in its line.
    room: Lanes<Place>,
    last: u64,
}

/// A place in a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    key: CountKey,
    number: u64,
}

#[derive(Debug)]
struct Waiter {
    number: u64,
    wake: SyncSender<()>,
}

impl LoginQueue {
    /// Lines in which so many wait at most, all together: each holds a thread. Logins from unknown networks take at most half.
    pub fn new(room: usize) -> Self {
        let room = Lanes::new(LaneLimits { capacity: room, per_network: room, max_wait: Duration::MAX });
        Self { lines: Mutex::new(WaitLists { by_key: HashMap::new(), room, last: 0 }) }
    }

    /// A spot for one login, in no line yet. Dropping it leaves the line.
    pub fn new_slot(&self) -> QueueSlot<'_> {
        QueueSlot { turns: self, position: None }
    }

    /// A charge has been settled: whoever position first in its lines asks again.
    pub fn notify_settled(&self, charge: &Charge) {
        let lines = self.lock();
        for key in charge.keys() {
            lines.wake(key);
        }
    }

    /// How many wait.
    pub fn waiting_count(&self) -> usize {
        self.lock().room.len()
    }

    fn lock(&self) -> MutexGuard<'_, WaitLists> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl WaitLists {
    fn wake(&self, key: CountKey) {
        if let Some(first) = self.by_key.get(&key).and_then(VecDeque::front) {
            // A full channel holds a call that has not been heard yet: one is enough.
            let _ = first.wake.try_send(());
        }
    }

    /// Gives a login a place at the end of a line.
    fn join(&mut self, turn: &Turn, wake: SyncSender<()>) -> Result<(Place, u64), QueueFull> {
        self.last += 1;
        let place = Place { key: turn.key, number: self.last };
        let offered = self.room.offer(turn.lane, turn.address, Duration::ZERO, place).ok_or(QueueFull)?;
        self.by_key.entry(turn.key).or_default().push_back(Waiter { number: place.number, wake });
        if let Some(displaced) = offered.displaced {
            self.vacate(displaced);
        }
        Ok((place, offered.number))
    }

    fn has(&self, place: Place) -> bool {
        self.by_key.get(&place.key).is_some_and(|line| line.iter().any(|waiter| waiter.number == place.number))
    }

    /// Takes a login out of its line, and wakes it if it still waits there.
    fn vacate(&mut self, place: Place) {
        let Some(line) = self.by_key.get_mut(&place.key) else { return };
        let Some(at) = line.iter().position(|waiter| waiter.number == place.number) else { return };
        if let Some(left) = line.remove(at) {
            let _ = left.wake.try_send(());
        }
        if line.is_empty() {
            self.by_key.remove(&place.key);
        } else if at == 0 {
            self.wake(place.key);
        }
    }
}

/// A login that may have to wait.
#[derive(Debug)]
pub struct QueueSlot<'a> {
    turns: &'a LoginQueue,
    position: Option<QueuePosition>,
}

#[derive(Debug)]
struct QueuePosition {
    place: Place,
    /// Its number among those who have room.
    room: u64,
    wake: SyncSender<()>,
    wake_up: Receiver<()>,
}

impl QueueSlot<'_> {
    /// Waits in the line of this turn until it is time to ask again, `at_most` this long and no longer than somebody waits for the
    /// call. The spot in the line is kept for the next wait under the same key.
    ///
    /// # Errors
    /// There is no room, or somebody else needed the room more.
    pub fn wait(&mut self, turn: &Turn, at_most: Duration) -> Result<(), QueueFull> {
        if self.position.as_ref().is_none_or(|position| position.place.key != turn.key) {
            self.leave();
            self.join(turn)?;
        }
        let Some(position) = &self.position else { return Ok(()) };
        let span = if self.is_first() { at_most.min(POLL_INTERVAL) } else { at_most };
        let (cancellation, wake) = (Cancellation::current(), position.wake.clone());
        let waiting = cancellation.on_cancel(move || {
            let _ = wake.try_send(());
        });
        // Woken or not, it is time to ask: the line itself is what keeps the order.
        let _ = position.wake_up.recv_timeout(span);
        drop(waiting);
        if self.turns.lock().has(position.place) {
            return Ok(());
        }
        self.position = None;
        Err(QueueFull)
    }

    fn join(&mut self, turn: &Turn) -> Result<(), QueueFull> {
        let (wake, woken) = sync_channel(1);
        let (place, room) = self.turns.lock().join(turn, wake.clone())?;
        self.position = Some(QueuePosition { place, room, wake, wake_up: woken });
        Ok(())
    }

    fn is_first(&self) -> bool {
        let lines = self.turns.lock();
        let first = |place: Place| lines.by_key.get(&place.key).and_then(VecDeque::front).map(|first| first.number);
        self.position.as_ref().is_some_and(|position| first(position.place) == Some(position.place.number))
    }

    fn leave(&mut self) {
        if let Some(position) = self.position.take() {
            let mut lines = self.turns.lock();
            // one that was displaced has left both
            lines.room.withdraw(position.room);
            lines.vacate(position.place);
        }
    }
}

impl Drop for QueueSlot<'_> {
    fn drop(&mut self) {
        self.leave();
    }
}
