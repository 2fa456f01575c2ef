//! The queue in which logins wait for their turn: a line for each count key, in this process.
//!
//! The first login of a line tries again when a charge of its key is settled in this process, and
//! every 50 ms for charges that other processes settle. The others wait for the first to leave.
//!
//! Each waiting login occupies a thread, so the total number is limited. As in the hash queue,
//! logins from unknown networks take at most half of the capacity and are displaced by known
//! clients, and the network with the most waiting logins is displaced by one with few.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Charge;
use crate::cancellation::Cancellation;
use crate::passwords::{Lane, LaneLimits, Lanes};
use crate::ports::CountKey;

/// How often the first of a line tries again without a notification.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// The turn for which a login waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// The count key whose line it joins.
    pub key: CountKey,
    /// The lane, which depends on whether its client is known.
    pub lane: Lane,
    /// The network address of the login.
    pub address: Option<IpAddr>,
}

/// The capacity of the queue is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many logins are waiting; retry later")]
pub struct QueueFull;

/// The lines of waiting logins.
#[derive(Debug)]
pub struct LoginQueue {
    lines: Mutex<WaitLists>,
}

#[derive(Debug)]
struct WaitLists {
    by_key: HashMap<CountKey, VecDeque<WaitingLogin>>,
    /// The capacity, with the position of each waiting login in its line.
    lanes: Lanes<LinePosition>,
    last: u64,
}

/// A position in a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct LinePosition {
    key: CountKey,
    number: u64,
}

#[derive(Debug)]
struct WaitingLogin {
    number: u64,
    wake: SyncSender<()>,
}

impl LoginQueue {
    /// A queue for at most `capacity` waiting logins, half of them from unknown networks.
    pub fn new(capacity: usize) -> Self {
        let lanes = Lanes::new(LaneLimits { capacity, per_network: capacity, max_wait: Duration::MAX });
        Self { lines: Mutex::new(WaitLists { by_key: HashMap::new(), lanes, last: 0 }) }
    }

    /// A slot for one login, in no line yet. Dropping it leaves the line.
    pub fn new_slot(&self) -> QueueSlot<'_> {
        QueueSlot { turns: self, position: None }
    }

    /// Notifies the lines of a settled charge: the first login of each tries again.
    pub fn notify_settled(&self, charge: &Charge) {
        let lines = self.lock();
        for key in charge.keys() {
            lines.wake(key);
        }
    }

    /// The number of waiting logins.
    pub fn waiting_count(&self) -> usize {
        self.lock().lanes.len()
    }

    fn lock(&self) -> MutexGuard<'_, WaitLists> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl WaitLists {
    fn wake(&self, key: CountKey) {
        if let Some(first) = self.by_key.get(&key).and_then(VecDeque::front) {
            // A full channel contains a notification that was not received yet; one is enough.
            let _ = first.wake.try_send(());
        }
    }

    /// Puts a login at the end of a line.
    fn join(&mut self, turn: &Turn, wake: SyncSender<()>) -> Result<(LinePosition, u64), QueueFull> {
        self.last += 1;
        let position = LinePosition { key: turn.key, number: self.last };
        let offered = self.lanes.offer(turn.lane, turn.address, Duration::ZERO, position).ok_or(QueueFull)?;
        self.by_key.entry(turn.key).or_default().push_back(WaitingLogin { number: position.number, wake });
        if let Some(displaced) = offered.displaced {
            self.vacate(displaced);
        }
        Ok((position, offered.number))
    }

    fn has(&self, position: LinePosition) -> bool {
        self.by_key.get(&position.key).is_some_and(|line| line.iter().any(|waiter| waiter.number == position.number))
    }

    /// Removes a login from its line and notifies it if it still waits.
    fn vacate(&mut self, position: LinePosition) {
        let Some(line) = self.by_key.get_mut(&position.key) else { return };
        let Some(at) = line.iter().position(|waiter| waiter.number == position.number) else { return };
        if let Some(left) = line.remove(at) {
            let _ = left.wake.try_send(());
        }
        if line.is_empty() {
            self.by_key.remove(&position.key);
        } else if at == 0 {
            self.wake(position.key);
        }
    }
}

/// The slot of a login that may have to wait.
#[derive(Debug)]
pub struct QueueSlot<'a> {
    turns: &'a LoginQueue,
    position: Option<QueuePosition>,
}

#[derive(Debug)]
struct QueuePosition {
    line_position: LinePosition,
    /// Its number in the lanes.
    lane_number: u64,
    wake: SyncSender<()>,
    wake_up: Receiver<()>,
}

impl QueueSlot<'_> {
    /// Waits in the line of this turn until it is time to try again: at most `at_most`, and no
    /// longer than the caller of the login waits for its response. The position in the line is kept
    /// for the next wait with the same key.
    ///
    /// # Errors
    ///
    /// [`QueueFull`] if there is no capacity, or if another login has displaced this one.
    pub fn wait(&mut self, turn: &Turn, at_most: Duration) -> Result<(), QueueFull> {
        if self.position.as_ref().is_none_or(|position| position.line_position.key != turn.key) {
            self.leave();
            self.join(turn)?;
        }
        let Some(position) = &self.position else { return Ok(()) };
        let span = if self.is_first() { at_most.min(POLL_INTERVAL) } else { at_most };
        let (cancellation, wake) = (Cancellation::current(), position.wake.clone());
        let waiting = cancellation.on_cancel(move || {
            let _ = wake.try_send(());
        });
        // Notified or not, it is time to try again; the line keeps the order.
        let _ = position.wake_up.recv_timeout(span);
        drop(waiting);
        if self.turns.lock().has(position.line_position) {
            return Ok(());
        }
        self.position = None;
        Err(QueueFull)
    }

    fn join(&mut self, turn: &Turn) -> Result<(), QueueFull> {
        let (wake, woken) = sync_channel(1);
        let (line_position, lane_number) = self.turns.lock().join(turn, wake.clone())?;
        self.position = Some(QueuePosition { line_position, lane_number, wake, wake_up: woken });
        Ok(())
    }

    fn is_first(&self) -> bool {
        let lines = self.turns.lock();
        let find_first = |key: &CountKey| lines.by_key.get(key).and_then(VecDeque::front).map(|first| first.number);
        let position = self.position.as_ref().map(|position| position.line_position);
        position.is_some_and(|position| find_first(&position.key) == Some(position.number))
    }

    fn leave(&mut self) {
        if let Some(position) = self.position.take() {
            let mut lines = self.turns.lock();
            // A displaced login has left both.
            lines.lanes.withdraw(position.lane_number);
            lines.vacate(position.line_position);
        }
    }
}

impl Drop for QueueSlot<'_> {
    fn drop(&mut self) {
        self.leave();
    }
}
