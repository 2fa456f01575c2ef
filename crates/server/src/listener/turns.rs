//! Whose turn it is: in which order the connections of a worker go on where many are ready at the same time.
//!
//! A runtime polls tasks in the order in which they were woken. Where a thousand kept connections have sent a request, a new one
//! then waits for all of them, and again at each step until its first answer. So connections take turns: a few of those that want
//! to read a request go on, then the worker looks at its sockets, its timers and at what other threads have handed it, then the
//! next few go on. Connections without an answer so far have turns of their own, so neither kind keeps the other waiting. A
//! request that was read needs no turn: what is begun is finished first.
//!
//! The time for the head of a request runs here too, since it is the client's time: it stands while a connection waits for its turn,
//! and it is looked at after everything that has come was read. So a request that has come whole is never answered 408.
//!
//! Handshakes of TLS take no turn. Each is a few short steps, of connections without an answer so far, so it delays other new
//! connections no more than a request of its own would; the steps come with the client's packets, one round trip apart, between
//! which the worker gives its turns; and `limits.connections`, `limits.per_network` and `limits.head` bound how many there are.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tillgate_http::{Connection, record_wait};
use tokio::sync::Notify;
use tokio::task::yield_now;
use tokio::time::{Instant, Sleep, sleep};

/// How many connections of a kind go on before the worker looks at everything else.
const MAX_TURNS_PER_PASS: usize = 32;

/// The turns of a worker's connections.
#[derive(Default)]
pub(super) struct ConnectionTurns {
    new_connections: TurnQueue,
    kept_connections: TurnQueue,
    wakeup: Notify,
}

impl ConnectionTurns {
    /// Gives turns for as long as the worker serves.
    pub(super) async fn give_turns(&self) {
        loop {
            self.wakeup.notified().await;
            // back when the runtime has looked at sockets and timers
            yield_now().await;
            if self.new_connections.give_turns() | self.kept_connections.give_turns() {
                self.wakeup.notify_one();
            }
        }
    }

    fn queue(&self, connection: &Connection) -> &TurnQueue {
        if connection.is_used() { &self.kept_connections } else { &self.new_connections }
    }
}

/// Connections of one kind.
struct TurnQueue {
    /// How many may go on without waiting.
    left: Cell<usize>,
    waiting: RefCell<VecDeque<Rc<WaitingConnection>>>,
}

impl Default for TurnQueue {
    fn default() -> Self {
        Self { left: Cell::new(MAX_TURNS_PER_PASS), waiting: RefCell::default() }
    }
}

impl TurnQueue {
    /// Gives the next turns; whether some wait still.
    fn give_turns(&self) -> bool {
        let mut waiting = self.waiting.borrow_mut();
        let given = waiting.len().min(MAX_TURNS_PER_PASS);
        if let Some(oldest) = waiting.front() {
            record_wait(oldest.since.elapsed());
        }
        for ticket in waiting.drain(..given) {
            ticket.is_due.set(true);
            ticket.waker.borrow().wake_by_ref();
        }
        self.left.set(MAX_TURNS_PER_PASS - given);
        !waiting.is_empty()
    }
}

/// A connection that waits for its turn.
struct WaitingConnection {
    since: Instant,
    is_due: Cell<bool>,
    waker: RefCell<Waker>,
}

/// How long a client has been waited for to send the rest of a head.
#[derive(Default)]
struct HeadClock {
    waited: Duration,
    /// Since when it has been waited for this time.
    since: Option<Instant>,
    /// Wakes the connection when its time is up.
    alarm: Option<Pin<Box<Sleep>>>,
}

impl HeadClock {
    fn stop(&mut self) {
        self.alarm = None;
        if let Some(since) = self.since.take() {
            self.waited += since.elapsed();
        }
    }

    /// Goes on, up to `most` in all; whether there is time left.
    fn go_on(&mut self, most: Duration, context: &mut Context<'_>) -> bool {
        let left = most.saturating_sub(self.waited);
        let alarm = self.alarm.insert(Box::pin(sleep(left)));
        self.since = Some(Instant::now());
        !left.is_zero() && alarm.as_mut().poll(context).is_pending()
    }
}

/// The future of a connection, which goes on when it is its turn.
pub(super) struct TurnFuture<F> {
    serving: F,
    connection: Rc<Connection>,
    turns: Rc<ConnectionTurns>,
    waiting: Option<Rc<WaitingConnection>>,
    /// How long the head of a request may take.
    head: Duration,
    /// While a part of a head has come, or nothing so far.
    clock: Option<HeadClock>,
    /// Tells the stream that the head has taken too long.
    late: Rc<Cell<bool>>,
}

impl<F> TurnFuture<F> {
    /// `late` is set when the head of a request has taken longer than `head`; the stream then answers 408 and ends.
    pub(super) fn new(
        serving: F,
        connection: Rc<Connection>,
        turns: Rc<ConnectionTurns>,
        head: Duration,
        late: Rc<Cell<bool>>,
    ) -> Self {
        Self { serving, connection, turns, waiting: None, head, clock: None, late }
    }

    /// Whether the client has taken too long for the head of a request. Called once everything that has come was read.
    fn is_late(&mut self, context: &mut Context<'_>) -> bool {
        // Before the first answer the service has no time of its own for a connection on which nothing comes.
        let kept = self.connection.is_used() && self.connection.is_idle();
        if self.connection.is_answering() || kept || self.late.get() {
            self.clock = None;
            return false;
        }
        !self.clock.get_or_insert_default().go_on(self.head, context)
    }

    /// Whether it may go on; if not, the task is woken when it may.
    fn is_due(&mut self, context: &Context<'_>) -> bool {
        if self.connection.is_answering() {
            return true;
        }
        if let Some(ticket) = &self.waiting {
            if ticket.is_due.get() {
                self.waiting = None;
                return true;
            }
            ticket.waker.borrow_mut().clone_from(context.waker());
            return false;
        }
        let queue = self.turns.queue(&self.connection);
        if let Some(left) = queue.left.get().checked_sub(1) {
            queue.left.set(left);
            return true;
        }
        let waker = RefCell::new(context.waker().clone());
        let ticket = Rc::new(WaitingConnection { since: Instant::now(), is_due: Cell::new(false), waker });
        queue.waiting.borrow_mut().push_back(Rc::clone(&ticket));
        self.waiting = Some(ticket);
        self.turns.wakeup.notify_one();
        false
    }
}

impl<F: Future + Unpin> Future for TurnFuture<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        if let Some(clock) = &mut self.clock {
            clock.stop();
        }
        if !self.is_due(context) {
            return Poll::Pending;
        }
        let served = Pin::new(&mut self.serving).poll(context);
        if served.is_ready() || !self.is_late(context) {
            return served;
        }
        self.late.set(true);
        Pin::new(&mut self.serving).poll(context)
    }
}
