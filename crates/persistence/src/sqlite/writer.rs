//! Whose turn it is to write to SQLite. Writers queue; each runs its unit of work on its own thread in the open group and hands
//! the connection to the next; the last commits for all, and nobody is answered before.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tillgate_domain::{StoreError, Stored};

use crate::database::nesting::Number;
use crate::database::observers::Observers;
use crate::database::waiting::Waiting;
use crate::database::{Job, RUNS};
use crate::deadline::Deadline;
use crate::sqlite::group::{Group, Member, Ran};
use crate::sqlite::turn::{Turn, Word};
use crate::transaction::Written;

/// From this run on a unit of work has a group of its own: what disturbed the others' groups cannot disturb it any more.
const APART: u32 = 3;

type Place = Arc<Turn<Box<Group>>>;

/// The writers of one database file in this process.
pub(crate) struct Writer {
    number: Number,
    waiting: Arc<Waiting>,
    observers: Arc<Observers>,
    table: Mutex<Table>,
    groups: AtomicU64,
    members: AtomicU64,
}

/// Who waits, and the connection where nobody has it in hand.
struct Table {
    queue: VecDeque<Place>,
    idle: Option<Box<Group>>,
}

/// A member of a closed group, and what it is told.
type Closed = (Place, Word<Box<Group>>);

impl Writer {
    /// The writers over this connection.
    pub(crate) fn new(group: Group, number: Number, waiting: Arc<Waiting>, observers: Arc<Observers>) -> Self {
        let idle = Some(Box::new(group));
        Self {
            number,
            waiting,
            observers,
            table: Mutex::new(Table { queue: VecDeque::new(), idle }),
            groups: AtomicU64::new(0),
            members: AtomicU64::new(0),
        }
    }

    /// Groups that were committed, and units of work in them.
    pub(crate) fn counts(&self) -> (u64, u64) {
        (self.groups.load(Ordering::Relaxed), self.members.load(Ordering::Relaxed))
    }

    /// Runs the unit of work until it is committed, has failed or is out of time. The observers have been told by then.
    pub(crate) fn run(&self, deadline: &Deadline, mut work: Job<'_>) -> Stored<()> {
        let mut runs = 0;
        let mut apart = false;
        loop {
            if runs >= RUNS || (runs > 0 && deadline.passed()) {
                return Err(StoreError::Unavailable(format!("run {runs} times, and each came to nothing")));
            }
            runs += 1;
            let turn = Arc::new(Turn::new(apart || runs >= APART));
            let group = self.queue(&turn, deadline)?;
            match self.take(group, &turn, deadline, &mut work) {
                Next::Answered(answer) => return answer,
                Next::Again => {}
                Next::Ran => match turn.wait(deadline) {
                    Some(Word::Answer(answer)) => return answer,
                    Some(Word::Again { apart: alone }) => apart |= alone,
                    Some(Word::Turn(group)) => {
                        self.hand_on(group);
                        return Err(StoreError::Fault("a writer's turn came twice".to_owned()));
                    }
                    None => {
                        return Err(StoreError::Unavailable(
                            "the commit takes too long; the unit of work may have been committed".to_owned(),
                        ));
                    }
                },
            }
        }
    }

    /// Waits for the turn, empties the write-ahead log and closes the connection. The next unit of work opens another.
    pub(crate) fn empty_log(&self, deadline: &Deadline) -> Stored<()> {
        let turn = Arc::new(Turn::new(true));
        let mut group = self.queue(&turn, deadline)?;
        let closed = if group.is_open() { Ok(()) } else { group.close() };
        self.hand_on(group);
        closed
    }

    /// Waits for the turn.
    fn queue(&self, turn: &Place, deadline: &Deadline) -> Stored<Box<Group>> {
        let _place = {
            let mut table = self.table();
            if let Some(group) = table.idle.take() {
                return Ok(group);
            }
            let place = self.waiting.queue()?;
            table.queue.push_back(Arc::clone(turn));
            place
        };
        match turn.wait(deadline) {
            Some(Word::Turn(group)) => Ok(group),
            Some(_) => Err(StoreError::Fault("a writer was answered before its turn".to_owned())),
            None => {
                self.table().queue.retain(|waiting| !Arc::ptr_eq(waiting, turn));
                Err(StoreError::Unavailable("the turn to write did not come in time".to_owned()))
            }
        }
    }

    /// Takes one's turn and hands the group on.
    fn take(&self, mut group: Box<Group>, turn: &Place, deadline: &Deadline, work: &mut Job<'_>) -> Next {
        if deadline.passed() {
            self.hand_on(group);
            return Next::Answered(Err(StoreError::Unavailable("the turn to write came too late".to_owned())));
        }
        if let Err(error) = group.open(deadline) {
            self.hand_on(group);
            return Next::Answered(Err(error));
        }
        match group.run(self.number, work) {
            Ran::Kept(Err(StoreError::Conflict(_)), _) => {
                self.hand_on(group);
                Next::Again
            }
            Ran::Kept(outcome, written) => {
                group.members.push(Member { turn: Arc::clone(turn), outcome, written });
                self.hand_on(group);
                Next::Ran
            }
            Ran::Lost(error) => {
                self.give_up(group);
                if let StoreError::Conflict(_) = error { Next::Again } else { Next::Answered(Err(error)) }
            }
            Ran::Panicked(panic) => {
                self.give_up(group);
                resume_unwind(panic)
            }
        }
    }

    /// Throws the open transaction away; those who had run in it run again.
    fn give_up(&self, mut group: Box<Group>) {
        group.throw_away();
        let closed = dissolve(&mut group, false);
        self.pass(group, closed);
    }

    /// Hands the group to the next in the queue. Where nobody more may join, or nobody comes, it is committed first.
    fn hand_on(&self, group: Box<Group>) {
        self.pass(group, Vec::new());
    }

    fn pass(&self, mut group: Box<Group>, mut closed: Vec<Closed>) {
        let mut written = Written::default();
        loop {
            let apart = group.members.last().is_some_and(|member| member.turn.apart);
            let next = {
                let mut table = self.table();
                let alone = table.queue.front().is_none_or(|next| next.apart && !group.members.is_empty());
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
                None => self.close(&mut group, &mut closed, &mut written),
                Some(next) => match next.tell(Word::Turn(group)) {
                    Ok(()) => break,
                    Err(Word::Turn(back)) => group = back,
                    Err(_) => return,
                },
            }
        }
        // The next group is under way while this one's members are told.
        let told = catch_unwind(AssertUnwindSafe(|| self.observers.tell(&written)));
        for (turn, word) in closed {
            // Whoever has left at the deadline has been told that it may have been committed.
            drop(turn.tell(word));
        }
        if let Err(panic) = told {
            resume_unwind(panic);
        }
    }

    /// Commits the group, and notes what its members are told.
    fn close(&self, group: &mut Group, closed: &mut Vec<Closed>, written: &mut Written) {
        match group.commit() {
            Ok(()) => {
                self.groups.fetch_add(1, Ordering::Relaxed);
                self.members.fetch_add(u64::try_from(group.members.len()).unwrap_or_default(), Ordering::Relaxed);
                for member in group.members.drain(..) {
                    written.append(member.written);
                    closed.push((member.turn, Word::Answer(member.outcome)));
                }
            }
            Err(error) => {
                let shared = group.members.len() > 1;
                if let (StoreError::Unavailable(_) | StoreError::Fault(_), false) = (&error, shared) {
                    // There is nobody else whose doing it could be.
                    let answered =
                        group.members.drain(..).map(|member| (member.turn, Word::Answer(Err(error.clone()))));
                    closed.extend(answered);
                } else {
                    closed.extend(dissolve(group, shared));
                }
            }
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How a turn ended for the one who took it.
enum Next {
    Answered(Stored<()>),
    Again,
    Ran,
}

fn dissolve(group: &mut Group, apart: bool) -> Vec<Closed> {
    group.members.drain(..).map(|member| (member.turn, Word::Again { apart })).collect()
}

#[cfg(test)]
mod tests;
