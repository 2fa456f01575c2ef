//! State of a connection that the request layer and the listener share. A listener adds a
//! [`Connection`] to the data of each of its connections (`on_connect_ext`), and records in it what
//! was received and when everything was written; without one, the request layer works without this
//! state.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Poll, Waker};

/// Whether the server is shutting down. Then every response has `Connection: close` (RFC 9112,
/// 9.6).
#[derive(Clone, Debug, Default)]
pub struct DrainState(Arc<AtomicBool>);

impl DrainState {
    /// Begins the shutdown.
    pub fn begin(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether the shutdown has begun.
    pub fn has_begun(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// State of one connection of a worker.
#[derive(Debug)]
pub struct Connection {
    secure: bool,
    drain_state: DrainState,
    /// Requests whose responses are being computed or sent.
    responses_in_progress: Cell<u32>,
    /// Whether bytes were received since the last response was sent.
    has_unanswered_bytes: Cell<bool>,
    /// Whether any request was ever received.
    has_been_used: Cell<bool>,
    /// The task to wake when the last response has been sent.
    idle_waker: RefCell<Option<Waker>>,
    /// Whether the client has closed its side.
    has_input_ended: Cell<bool>,
    /// The task to wake when the client closes its side.
    input_end_waker: RefCell<Option<Waker>>,
    /// Whether a response announces that the connection is closed after it.
    is_close_announced: Cell<bool>,
    /// Whether that response was written to the client.
    is_close_written: Cell<bool>,
    /// The task to wake when that response was written.
    close_waker: RefCell<Option<Waker>>,
}

impl Connection {
    /// Creates the state of a connection that has not received anything. `secure` means that the
    /// server terminates its TLS.
    pub fn new(secure: bool, draining: DrainState) -> Rc<Self> {
        Rc::new(Self {
            secure,
            drain_state: draining,
            responses_in_progress: Cell::new(0),
            has_unanswered_bytes: Cell::new(false),
            has_been_used: Cell::new(false),
            idle_waker: RefCell::default(),
            has_input_ended: Cell::new(false),
            input_end_waker: RefCell::default(),
            is_close_announced: Cell::new(false),
            is_close_written: Cell::new(false),
            close_waker: RefCell::default(),
        })
    }

    /// Records that bytes of a request were received.
    pub fn record_received(&self) {
        self.has_unanswered_bytes.set(true);
    }

    /// Records that the client has closed its side: no request follows.
    pub fn record_input_end(&self) {
        self.has_input_ended.set(true);
        if let Some(waker) = self.input_end_waker.take() {
            waker.wake();
        }
    }

    /// Whether the client has closed its side; if not, wakes the task when it does.
    pub(crate) fn poll_input_end(&self, waker: &Waker) -> bool {
        if !self.has_input_ended.get() {
            self.input_end_waker.replace(Some(waker.clone()));
        }
        self.has_input_ended.get()
    }

    /// Records that a response announces the end of the connection: no request after it is
    /// processed (RFC 9112, 9.6).
    pub(crate) fn announce_close(&self) {
        self.is_close_announced.set(true);
    }

    /// Whether a response announces the end of the connection.
    pub(crate) fn is_close_announced(&self) -> bool {
        self.is_close_announced.get()
    }

    /// Records that everything that the responses passed to the listener was written.
    pub fn record_flushed(&self) {
        if self.is_close_announced.get() && self.responses_in_progress.get() == 0 {
            self.is_close_written.set(true);
            if let Some(waker) = self.close_waker.take() {
                waker.wake();
            }
        }
    }

    /// Whether the response that announces the end of the connection was written. The listener
    /// writes nothing after it.
    pub fn is_close_written(&self) -> bool {
        self.is_close_written.get()
    }

    /// Waits until the response that announces the end of the connection was written.
    pub(crate) async fn wait_until_close_written(&self) {
        poll_fn(|context| {
            if self.is_close_written.get() {
                return Poll::Ready(());
            }
            self.close_waker.replace(Some(context.waker().clone()));
            Poll::Pending
        })
        .await;
    }

    /// Whether the server is shutting down.
    pub(crate) fn drain_state(&self) -> &DrainState {
        &self.drain_state
    }

    /// Whether no request is in progress, and none has begun to arrive since the last response was
    /// sent.
    pub fn is_idle(&self) -> bool {
        self.responses_in_progress.get() == 0 && !self.has_unanswered_bytes.get()
    }

    /// Whether a request is being answered.
    pub fn is_answering(&self) -> bool {
        self.responses_in_progress.get() > 0
    }

    /// Wakes a task when the last response has been sent.
    pub fn wake_when_idle(&self, waker: &Waker) {
        self.idle_waker.replace(Some(waker.clone()));
    }

    /// Whether any request was ever received.
    pub fn is_used(&self) -> bool {
        self.has_been_used.get()
    }

    pub(crate) fn is_secure(&self) -> bool {
        self.secure
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.drain_state.has_begun()
    }

    /// Records a request in progress until the returned guard is dropped.
    pub(crate) fn begin_response(self: &Rc<Self>) -> ResponseGuard {
        self.has_been_used.set(true);
        self.responses_in_progress.set(self.responses_in_progress.get() + 1);
        ResponseGuard(Rc::clone(self))
    }
}

/// A request in progress.
#[derive(Debug)]
pub(crate) struct ResponseGuard(Rc<Connection>);

impl Drop for ResponseGuard {
    fn drop(&mut self) {
        let left = self.0.responses_in_progress.get().saturating_sub(1);
        self.0.responses_in_progress.set(left);
        if left == 0 {
            self.0.has_unanswered_bytes.set(false);
            if let Some(waker) = self.0.idle_waker.take() {
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
        let connection = Connection::new(false, DrainState::default());
        assert!(connection.is_idle() && !connection.is_used());
        connection.record_received();
        assert!(!connection.is_idle(), "a part of a head has come");
        let first = connection.begin_response();
        let second = connection.begin_response();
        drop(first);
        assert!(!connection.is_idle(), "another is being answered");
        drop(second);
        assert!(connection.is_idle() && connection.is_used());
    }

    #[test]
    fn closing_response_is_written_once_nothing_of_it_is_left() {
        let connection = Connection::new(false, DrainState::default());
        connection.record_flushed();
        let response = connection.begin_response();
        connection.announce_close();
        connection.record_flushed();
        assert!(!connection.is_close_written(), "its body is still being passed on");
        drop(response);
        assert!(!connection.is_close_written());
        connection.record_flushed();
        assert!(connection.is_close_written());
    }
}
