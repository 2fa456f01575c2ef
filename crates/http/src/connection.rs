//! What the edge and the listener tell each other about a connection. A listener puts a [`Connection`] into the data of each of its
//! connections (`on_connect_ext`); without one the edge does without.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Waker;

/// Whether a server is about to stop: every answer then says `Connection: close` (RFC 9112, 9.6).
#[derive(Clone, Debug, Default)]
pub struct Draining(Arc<AtomicBool>);

impl Draining {
    /// From now on it is.
    pub fn begin(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether it is.
    pub fn has_begun(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// One connection of a worker.
#[derive(Debug)]
pub struct Connection {
    secure: bool,
    draining: Draining,
    /// Requests whose answers are being made or handed over.
    answering: Cell<u32>,
    /// Whether bytes have come since the newest answer was handed over.
    unanswered: Cell<bool>,
    /// Whether a request has ever come.
    used: Cell<bool>,
    /// Who wants to know when the last answer is handed over.
    waiting: RefCell<Option<Waker>>,
}

impl Connection {
    /// A connection on which nothing has come yet. `secure`: over TLS of the server's own.
    pub fn new(secure: bool, draining: Draining) -> Rc<Self> {
        Rc::new(Self {
            secure,
            draining,
            answering: Cell::new(0),
            unanswered: Cell::new(false),
            used: Cell::new(false),
            waiting: RefCell::default(),
        })
    }

    /// Bytes of a request have come.
    pub fn received(&self) {
        self.unanswered.set(true);
    }

    /// Whether no request is under way: none has begun to arrive since the newest answer was handed over.
    pub fn is_idle(&self) -> bool {
        self.answering.get() == 0 && !self.unanswered.get()
    }

    /// Whether a request is being answered.
    pub fn is_answering(&self) -> bool {
        self.answering.get() > 0
    }

    /// Wakes a task when the last answer is handed over.
    pub fn wake_when_idle(&self, waker: &Waker) {
        self.waiting.replace(Some(waker.clone()));
    }

    /// Whether a request has ever come.
    pub fn is_used(&self) -> bool {
        self.used.get()
    }

    pub(crate) fn is_secure(&self) -> bool {
        self.secure
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.has_begun()
    }

    /// A request is answered from now on until what is returned is dropped.
    pub(crate) fn begin_answer(self: &Rc<Self>) -> Answering {
        self.used.set(true);
        self.answering.set(self.answering.get() + 1);
        Answering(Rc::clone(self))
    }
}

/// A request that is being answered.
#[derive(Debug)]
pub(crate) struct Answering(Rc<Connection>);

impl Drop for Answering {
    fn drop(&mut self) {
        let left = self.0.answering.get().saturating_sub(1);
        self.0.answering.set(left);
        if left == 0 {
            self.0.unanswered.set(false);
            if let Some(waker) = self.0.waiting.take() {
                waker.wake();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connection_is_idle_between_requests() {
        let connection = Connection::new(false, Draining::default());
        assert!(connection.is_idle() && !connection.is_used());
        connection.received();
        assert!(!connection.is_idle(), "a part of a head has come");
        let first = connection.begin_answer();
        let second = connection.begin_answer();
        drop(first);
        assert!(!connection.is_idle(), "another is being answered");
        drop(second);
        assert!(connection.is_idle() && connection.is_used());
    }
}
