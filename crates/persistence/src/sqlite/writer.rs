//! Decides whose turn it is to write to SQLite. Writers queue; each runs its unit of work on its
//! own thread in the open group and passes the connection to the next. The last one commits for
//! all, and none returns before the commit.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tillgate_domain::{StoreError, StoreResult};

use crate::database::nesting::DatabaseNumber;
use crate::database::observers::Observers;
use crate::database::wait_queue::WaitQueue;
use crate::deadline::Deadline;
use crate::error_class::UnitError;
use crate::sqlite::group::{Group, Member, MemberOutcome};
use crate::sqlite::waiter::{Signal, Waiter};
use crate::transaction::{MAX_RUNS, TransactionWork, WrittenChanges};

/// From this run on, a unit of work has a group of its own, so that other units of work can no
/// longer disturb it.
const SOLO_FROM_RUN: u32 = 3;

type GroupWaiter = Arc<Waiter<Box<Group>>>;

/// The writers of one database file in this process.
pub(crate) struct Writer {
    number: DatabaseNumber,
    waiting: Arc<WaitQueue>,
    observers: Arc<Observers>,
    state: Mutex<WriterState>,
    groups: AtomicU64,
    members: AtomicU64,
}

/// The queued writers, and the connection if none of them has it.
struct WriterState {
    queue: VecDeque<GroupWaiter>,
    idle: Option<Box<Group>>,
}

/// A member of a closed group, and the signal for it.
type PendingSignal = (GroupWaiter, Signal<Box<Group>>);

impl Writer {
    /// The writers that share this connection.
    pub(crate) fn new(
        group: Group,
        number: DatabaseNumber,
        waiting: Arc<WaitQueue>,
        observers: Arc<Observers>,
    ) -> Self {
        let idle = Some(Box::new(group));
        Self {
            number,
            waiting,
            observers,
            state: Mutex::new(WriterState { queue: VecDeque::new(), idle }),
            groups: AtomicU64::new(0),
            members: AtomicU64::new(0),
        }
    }

    /// The number of committed groups, and of units of work in them.
    pub(crate) fn commit_counts(&self) -> (u64, u64) {
        (self.groups.load(Ordering::Relaxed), self.members.load(Ordering::Relaxed))
    }

    /// Runs the unit of work until it is committed, has failed or reaches the deadline. By then,
    /// the observers have been notified.
    pub(crate) fn run(&self, deadline: &Deadline, mut work: TransactionWork<'_>) -> Result<(), UnitError> {
        let mut runs = 0;
        let mut apart = false;
        loop {
            if runs >= MAX_RUNS || (runs > 0 && deadline.has_passed()) {
                return Err(StoreError::Unavailable(format!("run {runs} times, and each came to nothing")).into());
            }
            runs += 1;
            let turn = Arc::new(Waiter::new(apart || runs >= SOLO_FROM_RUN));
            let mut group = self.wait_for_turn(&turn, deadline)?;
            if let Err(failed) = group.open(deadline) {
                self.pass_on(group);
                return Err(failed);
            }
            match self.run_member(group, &turn, &mut work) {
                TurnOutcome::Done(result) => return result,
                TurnOutcome::Retry => {}
                TurnOutcome::Joined => match turn.wait(deadline) {
                    Some(Signal::Done(result)) => return result,
                    Some(Signal::Retry { solo: alone }) => apart |= alone,
                    Some(Signal::YourTurn(group)) => {
                        self.pass_on(group);
                        return Err(StoreError::Fault("a writer's turn came twice".to_owned()).into());
                    }
                    None => {
                        let text = "the commit takes too long; the unit of work may have been committed";
                        return Err(StoreError::Unavailable(text.to_owned()).into());
                    }
                },
            }
        }
    }

    /// Waits for its turn, empties the write-ahead log and closes the connection. The next unit of
    /// work opens another.
    pub(crate) fn checkpoint_wal(&self, deadline: &Deadline) -> StoreResult<()> {
        let turn = Arc::new(Waiter::new(true));
        let mut group = self.wait_for_turn(&turn, deadline)?;
        let closed = if group.is_open() { Ok(()) } else { group.close() };
        self.pass_on(group);
        closed
    }

    fn wait_for_turn(&self, turn: &GroupWaiter, deadline: &Deadline) -> StoreResult<Box<Group>> {
        let _place = {
            let mut table = self.lock_state();
            if let Some(group) = table.idle.take() {
                return Ok(group);
            }
            let slot = self.waiting.enter()?;
            table.queue.push_back(Arc::clone(turn));
            slot
        };
        match turn.wait(deadline) {
            Some(Signal::YourTurn(group)) => Ok(group),
            Some(_) => Err(StoreError::Fault("a writer was answered before its turn".to_owned())),
            None => {
                self.lock_state().queue.retain(|waiting| !Arc::ptr_eq(waiting, turn));
                Err(StoreError::Unavailable("the turn to write did not come in time".to_owned()))
            }
        }
    }

    /// Runs the unit of work in the open group, and passes the group on.
    fn run_member(&self, mut group: Box<Group>, turn: &GroupWaiter, work: &mut TransactionWork<'_>) -> TurnOutcome {
        match group.run(self.number, work) {
            MemberOutcome::Completed(Err(UnitError { error: StoreError::Conflict(_), .. }), _) => {
                self.pass_on(group);
                TurnOutcome::Retry
            }
            MemberOutcome::Completed(outcome, written) => {
                group.members.push(Member { waiter: Arc::clone(turn), outcome, written });
                self.pass_on(group);
                TurnOutcome::Joined
            }
            MemberOutcome::TransactionLost(failed) => {
                self.abort(group);
                match failed.error {
                    StoreError::Conflict(_) => TurnOutcome::Retry,
                    _ => TurnOutcome::Done(Err(failed)),
                }
            }
            MemberOutcome::Panicked(panic) => {
                self.abort(group);
                resume_unwind(panic)
            }
        }
    }

    /// Discards the open transaction; its members run again.
    fn abort(&self, mut group: Box<Group>) {
        group.discard();
        let closed = retry_all(&mut group, false);
        self.pass_group(group, closed);
    }

    /// Passes the group to the next writer in the queue. If no further member may join, or none
    /// waits, it is committed first.
    fn pass_on(&self, group: Box<Group>) {
        self.pass_group(group, Vec::new());
    }

    fn pass_group(&self, mut group: Box<Group>, mut closed: Vec<PendingSignal>) {
        let mut written = WrittenChanges::default();
        loop {
            let apart = group.members.last().is_some_and(|member| member.waiter.solo);
            let next = {
                let mut table = self.lock_state();
                let alone = table.queue.front().is_none_or(|next| next.solo && !group.members.is_empty());
                if group.is_open() && (apart || alone || group.is_full()) {
                    None
                } else if let Some(next) = table.queue.pop_front() {
                    Some(next)
                } else {
                    table.idle = Some(group);
                    break;
                }
            };
            match next {
                None => self.commit_group(&mut group, &mut closed, &mut written),
                Some(next) => match next.send(Signal::YourTurn(group)) {
                    Ok(()) => break,
                    Err(Signal::YourTurn(back)) => group = back,
                    Err(_) => return,
                },
            }
        }
        // The next group is in progress while the members of this one are notified.
        let notified = catch_unwind(AssertUnwindSafe(|| self.observers.notify(&written)));
        for (waiter, signal) in closed {
            // A writer that gave up at the deadline has returned that it may have been committed.
            drop(waiter.send(signal));
        }
        if let Err(panic) = notified {
            resume_unwind(panic);
        }
    }

    /// Commits the group, and collects the signals for its members.
    fn commit_group(&self, group: &mut Group, closed: &mut Vec<PendingSignal>, written: &mut WrittenChanges) {
        match group.commit() {
            Ok(()) => {
                self.groups.fetch_add(1, Ordering::Relaxed);
                self.members.fetch_add(u64::try_from(group.members.len()).unwrap_or_default(), Ordering::Relaxed);
                for member in group.members.drain(..) {
                    written.append(member.written);
                    closed.push((member.waiter, Signal::Done(member.outcome)));
                }
            }
            Err(error) => {
                let shared = group.members.len() > 1;
                if let (StoreError::Unavailable(_) | StoreError::Fault(_), false) = (&error.error, shared) {
                    // No other member can be the cause.
                    let answered =
                        group.members.drain(..).map(|member| (member.waiter, Signal::Done(Err(error.clone()))));
                    closed.extend(answered);
                } else {
                    closed.extend(retry_all(group, shared));
                }
            }
        }
    }

    fn lock_state(&self) -> MutexGuard<'_, WriterState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How a turn ended for the writer that took it.
enum TurnOutcome {
    Done(Result<(), UnitError>),
    Retry,
    Joined,
}

fn retry_all(group: &mut Group, apart: bool) -> Vec<PendingSignal> {
    group.members.drain(..).map(|member| (member.waiter, Signal::Retry { solo: apart })).collect()
}

#[cfg(test)]
mod tests;
