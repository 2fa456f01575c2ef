//! Turns: the order in which the connections of a worker proceed when many are ready at once.
//!
//! A runtime polls tasks in the order in which they were woken. If a thousand kept-alive
//! connections have sent a request, a new connection would wait for all of them, and again at each
//! step until its first response. Therefore connections take turns to read a request: a few
//! proceed, then the worker checks its sockets, its timers and what other threads have passed to
//! it, then the next few proceed. Connections that had no response yet have a queue of their own,
//! so that neither kind delays the other. A request that was read needs no turn: it is finished
//! first.
//!
//! The timeout for the head of a request is measured here too, because it is the client's time: it
//! stops while a connection waits for its turn, and it is checked after everything that has arrived
//! was read. A request that has arrived completely is therefore never answered 408.
//!
//! TLS handshakes take no turns. A handshake consists of a few short steps of a connection without
//! a response, so it delays other new connections no more than a request would. Its steps are a
//! round trip apart, and the worker gives turns between them. `limits.connections`,
//! `limits.per_network` and `limits.head` bound the number of handshakes.

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

/// The number of connections of each kind that proceed before the worker checks everything else.
const MAX_TURNS_PER_PASS: usize = 32;

/// The queues of a worker's connections.
#[derive(Default)]
pub(super) struct ConnectionTurns {
    new_connections: TurnQueue,
    kept_connections: TurnQueue,
    wakeup: Notify,
}

impl ConnectionTurns {
    /// Gives turns as long as the worker serves.
    pub(super) async fn give_turns(&self) {
        loop {
            self.wakeup.notified().await;
            // returns after the runtime has checked sockets and timers
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

/// The queue of one kind of connections.
struct TurnQueue {
    /// How many connections may proceed without waiting.
    left: Cell<usize>,
    waiting: RefCell<VecDeque<Rc<WaitingConnection>>>,
}

impl Default for TurnQueue {
    fn default() -> Self {
        Self { left: Cell::new(MAX_TURNS_PER_PASS), waiting: RefCell::default() }
    }
}

impl TurnQueue {
    /// Gives the next turns and returns whether connections still wait.
    fn give_turns(&self) -> bool {
        let mut waiting = self.waiting.borrow_mut();
        let given = waiting.len().min(MAX_TURNS_PER_PASS);
        if let Some(oldest) = waiting.front() {
            record_wait(oldest.since.elapsed());
        }
        for waiter in waiting.drain(..given) {
            waiter.is_due.set(true);
            waiter.waker.borrow().wake_by_ref();
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

/// Measures how long the server has waited for the rest of a head.
#[derive(Default)]
struct HeadClock {
    waited: Duration,
    /// When the current wait began.
    since: Option<Instant>,
    /// Wakes the connection when the time is up.
    alarm: Option<Pin<Box<Sleep>>>,
}

impl HeadClock {
    fn stop(&mut self) {
        self.alarm = None;
        if let Some(since) = self.since.take() {
            self.waited += since.elapsed();
        }
    }

    /// Continues to measure, up to `most` in total; returns whether time is left.
    fn resume(&mut self, most: Duration, context: &mut Context<'_>) -> bool {
        let left = most.saturating_sub(self.waited);
        let alarm = self.alarm.insert(Box::pin(sleep(left)));
        self.since = Some(Instant::now());
        !left.is_zero() && alarm.as_mut().poll(context).is_pending()
    }
}

/// The future of a connection, which proceeds when it has a turn.
pub(super) struct TurnFuture<F> {
    serving: F,
    connection: Rc<Connection>,
    turns: Rc<ConnectionTurns>,
    waiting: Option<Rc<WaitingConnection>>,
    /// The timeout for the head of a request.
    head: Duration,
    /// The time for a head, while one is incomplete or nothing has arrived yet.
    clock: Option<HeadClock>,
    /// Tells the stream that the head has taken too long.
    late: Rc<Cell<bool>>,
}

impl<F> TurnFuture<F> {
    /// Creates the future. `late` is set when the head of a request takes longer than `head`; the
    /// stream then answers 408 and ends.
    pub(super) fn new(
        serving: F,
        connection: Rc<Connection>,
        turns: Rc<ConnectionTurns>,
        head: Duration,
        late: Rc<Cell<bool>>,
    ) -> Self {
        Self { serving, connection, turns, waiting: None, head, clock: None, late }
    }

    /// Whether the head of a request has taken too long. Call it after everything that has arrived
    /// was read.
    fn is_late(&mut self, context: &mut Context<'_>) -> bool {
        // Before the first response, the service has no timeout of its own for a connection on
        // which nothing arrives.
        let kept = self.connection.is_used() && self.connection.is_idle();
        if self.connection.is_answering() || kept || self.late.get() {
            self.clock = None;
            return false;
        }
        !self.clock.get_or_insert_default().resume(self.head, context)
    }

    /// Whether the connection may proceed; if not, its task is woken when it may.
    fn is_due(&mut self, context: &Context<'_>) -> bool {
        if self.connection.is_answering() {
            return true;
        }
        if let Some(waiter) = &self.waiting {
            if waiter.is_due.get() {
                self.waiting = None;
                return true;
            }
            waiter.waker.borrow_mut().clone_from(context.waker());
            return false;
        }
        let queue = self.turns.queue(&self.connection);
        if let Some(left) = queue.left.get().checked_sub(1) {
            queue.left.set(left);
            return true;
        }
        let waker = RefCell::new(context.waker().clone());
        let waiter = Rc::new(WaitingConnection { since: Instant::now(), is_due: Cell::new(false), waker });
        queue.waiting.borrow_mut().push_back(Rc::clone(&waiter));
        self.waiting = Some(waiter);
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
