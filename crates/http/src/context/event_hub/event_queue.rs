//! The frames that wait for one client, in bounded memory.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use actix_web::web::Bytes;

/// The size of the frames that wait for a client. A client that has more to read loses them
/// and gets a `reset` instead.
pub(super) const MAX_QUEUE_BYTES: usize = 32 * 1024;

/// The frames that wait for one client. The poller adds them; the response body takes them.
#[derive(Default)]
pub(super) struct EventQueue(Mutex<EventQueueState>);

#[derive(Default)]
struct EventQueueState {
    frames: VecDeque<Bytes>,
    /// The size of the frames, without the first one if it was added by `push_first`.
    bytes: usize,
    /// The size of the frame that is not counted.
    first_bytes: usize,
    /// What is sent if there is no event for a while.
    heartbeat: Bytes,
    /// Whether no frame follows, or nobody takes them any more.
    is_closed: bool,
    waker: Option<Waker>,
}

impl EventQueue {
    fn lock(&self) -> MutexGuard<'_, EventQueueState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds frames, unless the queue is closed. If they do not fit, `reset` replaces all that wait;
    /// returns whether it did.
    pub(super) fn push(&self, frames: Bytes, reset: impl FnOnce() -> Bytes) -> bool {
        let mut state = self.lock();
        if state.is_closed {
            return false;
        }
        let overflows = state.bytes + frames.len() > MAX_QUEUE_BYTES;
        let frames = if overflows {
            state.frames.clear();
            (state.bytes, state.first_bytes) = (0, 0);
            reset()
        } else {
            frames
        };
        state.bytes += frames.len();
        state.frames.push_back(frames);
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
        overflows
    }

    /// Adds what the stream begins with, whatever its size. Nothing may wait.
    pub(super) fn push_first(&self, frames: Bytes) {
        let mut state = self.lock();
        state.first_bytes = frames.len();
        state.frames.push_back(frames);
    }

    /// Sets what is sent if there is no event for a while, after the frames that wait now.
    pub(super) fn set_heartbeat(&self, heartbeat: Bytes) {
        self.lock().heartbeat = heartbeat;
    }

    /// What to send if there is no event for a while; `None` if frames wait.
    pub(super) fn heartbeat(&self) -> Option<Bytes> {
        let state = self.lock();
        state.frames.is_empty().then(|| state.heartbeat.clone())
    }

    /// Ends the stream: what waits is still sent, and nothing is added.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.is_closed = true;
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.lock().is_closed
    }

    /// The next frames; `None` at the end of the stream.
    pub(super) fn poll_next(&self, context: &Context<'_>) -> Poll<Option<Bytes>> {
        let mut state = self.lock();
        if let Some(frames) = state.frames.pop_front() {
            state.bytes -= frames.len() - std::mem::take(&mut state.first_bytes);
            return Poll::Ready(Some(frames));
        }
        if state.is_closed {
            return Poll::Ready(None);
        }
        state.waker = Some(context.waker().clone());
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take_all(queue: &EventQueue) -> Vec<Bytes> {
        let context = Context::from_waker(Waker::noop());
        let mut taken = Vec::new();
        while let Poll::Ready(Some(frames)) = queue.poll_next(&context) {
            taken.push(frames);
        }
        taken
    }

    #[test]
    fn queue_that_overflows_has_only_a_reset() {
        let queue = EventQueue::default();
        let frames = Bytes::from(vec![b'x'; MAX_QUEUE_BYTES / 2]);
        let reset = || Bytes::from_static(b"reset");
        assert!(!queue.push(frames.clone(), reset) && !queue.push(frames.clone(), reset));
        assert!(queue.push(frames.clone(), reset));
        assert!(!queue.push(frames.clone(), reset), "the reset has made room");
        assert_eq!(take_all(&queue), [reset(), frames.clone()]);
        for _ in 0..100 {
            queue.push(frames.clone(), reset);
        }
        let left: usize = take_all(&queue).iter().map(Bytes::len).sum();
        assert!(left <= MAX_QUEUE_BYTES, "{left}");
    }

    #[test]
    fn first_frames_may_be_larger_than_the_limit() {
        let queue = EventQueue::default();
        let (first, last) = (Bytes::from(vec![b'x'; MAX_QUEUE_BYTES * 2]), Bytes::from_static(b"last"));
        queue.push_first(first.clone());
        assert!(!queue.push(last.clone(), Bytes::new), "they do not count");
        assert_eq!(take_all(&queue), [first, last]);
        assert!(queue.push(Bytes::from(vec![b'x'; MAX_QUEUE_BYTES + 1]), Bytes::new), "later frames count");
    }

    #[test]
    fn heartbeat_follows_the_frames_that_wait() {
        let queue = EventQueue::default();
        queue.push(Bytes::from_static(b"one"), Bytes::new);
        queue.set_heartbeat(Bytes::from_static(b"beat"));
        assert_eq!(queue.heartbeat(), None);
        assert_eq!(take_all(&queue).len(), 1);
        assert_eq!(queue.heartbeat().as_deref(), Some(&b"beat"[..]));
    }

    #[test]
    fn closed_queue_sends_what_waits_and_ends() {
        let queue = EventQueue::default();
        let context = Context::from_waker(Waker::noop());
        assert!(queue.poll_next(&context).is_pending());
        queue.push(Bytes::from_static(b"one"), Bytes::new);
        queue.close();
        assert!(!queue.push(Bytes::from_static(b"two"), Bytes::new));
        assert_eq!(queue.poll_next(&context), Poll::Ready(Some(Bytes::from_static(b"one"))));
        assert_eq!(queue.poll_next(&context), Poll::Ready(None));
    }
}
