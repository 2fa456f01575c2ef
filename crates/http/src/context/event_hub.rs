//! The event streams of a process. One thread polls the live events of the store for all of them,
//! and runs only while there is a stream.
//!
//! Each poll checks every stream again: it ends with its session, at the expiry of its access token,
//! and when the server shuts down, and an event is sent only if the viewer may see it at that moment.
//! Frames wait in a queue of bounded size, so a client that does not read costs no more memory.

mod event_queue;
mod frames;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::web::Bytes;
use tillgate_auth_core::auth::may_see_event;
use tillgate_auth_core::ports::{Bookmark, LiveEventBatch};
use tillgate_auth_core::{Auth, Caller, Error, TokenDenied};
use tillgate_domain::change::Observer;
use tillgate_domain::{Change, PrincipalId};

use crate::error::{ApiError, ProtocolError, StreamLimit};
use crate::metrics::Metrics;
use crate::request::connection::DrainState;
use event_queue::EventQueue;

pub(crate) use frames::parse_position;

/// The least time between two polls, however often this process commits.
const MIN_POLL_INTERVAL: Duration = Duration::from_millis(25);

/// The number of streams of one user or device.
pub(crate) const MAX_STREAMS_PER_PRINCIPAL: usize = 4;

/// The number of streams of the process.
pub(crate) const MAX_STREAMS: usize = 1_000;

/// How often the live events are polled.
const POLL_INTERVAL: Duration = Duration::from_millis(250);

/// The event streams of a process.
pub(crate) struct EventHub {
    auth: Arc<Auth>,
    metrics: Arc<Metrics>,
    /// Locked during a poll, and while a stream is added.
    state: Mutex<HubState>,
    counts: Arc<StreamCounts>,
    signal: Arc<PollSignal>,
}

#[derive(Default)]
struct HubState {
    /// What was sent to the streams; `None` while there is none.
    position: Option<Bookmark>,
    streams: Vec<Stream>,
    is_polling: bool,
    /// Whether the newest poll failed, so that an outage is logged once.
    has_failed: bool,
}

/// A stream as the poller sees it.
struct Stream {
    viewer: Caller,
    /// The version of the changes at which the viewer was last checked.
    checked_version: Option<u64>,
    queue: Arc<EventQueue>,
    drain_state: Option<DrainState>,
}

/// The numbers of streams.
#[derive(Default)]
struct StreamCounts(Mutex<HashMap<PrincipalId, usize>>);

/// The slot of a stream; released on drop.
pub(crate) struct StreamPermit {
    principal: PrincipalId,
    counts: Arc<StreamCounts>,
    metrics: Arc<Metrics>,
}

impl StreamCounts {
    fn lock(&self) -> MutexGuard<'_, HashMap<PrincipalId, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a stream, and returns the number of all.
    fn increment(&self, principal: PrincipalId) -> Result<usize, StreamLimit> {
        let mut counts = self.lock();
        let all: usize = counts.values().sum();
        if counts.get(&principal).is_some_and(|own| *own >= MAX_STREAMS_PER_PRINCIPAL) {
            return Err(StreamLimit::Principal);
        }
        if all >= MAX_STREAMS {
            return Err(StreamLimit::Process);
        }
        *counts.entry(principal).or_default() += 1;
        Ok(all + 1)
    }

    /// Removes a stream, and returns the number of the others.
    fn decrement(&self, principal: PrincipalId) -> usize {
        let mut counts = self.lock();
        if let Some(count) = counts.get_mut(&principal) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                counts.remove(&principal);
            }
        }
        counts.values().sum()
    }
}

impl Drop for StreamPermit {
    fn drop(&mut self) {
        self.metrics.set_event_streams(self.counts.decrement(self.principal));
    }
}

/// A stream as its response sees it. Dropping it ends the stream.
pub(crate) struct StreamHandle {
    queue: Arc<EventQueue>,
    _permit: StreamPermit,
}

impl StreamHandle {
    /// The next frames; `None` at the end of the stream.
    pub(crate) fn poll_next(&self, context: &Context<'_>) -> Poll<Option<Bytes>> {
        self.queue.poll_next(context)
    }
}

impl Drop for StreamHandle {
    fn drop(&mut self) {
        self.queue.close();
    }
}

/// Wakes the poller before its next poll is due.
#[derive(Default)]
struct PollSignal {
    is_poll_due: Mutex<bool>,
    changed: Condvar,
}

impl PollSignal {
    fn set(&self) {
        *self.is_poll_due.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    fn wait(&self) {
        let due = self.is_poll_due.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(due, POLL_INTERVAL, |due| !*due);
        *waited.unwrap_or_else(PoisonError::into_inner).0 = false;
    }
}

/// A change that this process commits may end the session of a viewer, whose stream ends at once.
impl Observer for PollSignal {
    fn on_commit(&self, _changes: &[Change]) {
        self.set();
    }
}

impl fmt::Debug for EventHub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventHub").finish_non_exhaustive()
    }
}

impl EventHub {
    pub(crate) fn new(auth: Arc<Auth>, metrics: Arc<Metrics>) -> Arc<Self> {
        let signal = Arc::new(PollSignal::default());
        auth.observe_changes(Arc::clone(&signal) as Arc<dyn Observer>);
        metrics.set_event_streams(0);
        Arc::new(Self { auth, metrics, state: Mutex::default(), counts: Arc::default(), signal })
    }

    fn lock(&self) -> MutexGuard<'_, HubState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a stream of this principal.
    ///
    /// # Errors
    /// The principal or the process has the greatest number of streams.
    pub(crate) fn claim_stream(&self, principal: PrincipalId) -> Result<StreamPermit, ApiError> {
        match self.counts.increment(principal) {
            Ok(all) => self.metrics.set_event_streams(all),
            Err(limit) => {
                self.metrics.count_refused_stream(limit);
                return Err(ProtocolError::StreamLimitReached(limit).into());
            }
        }
        let (counts, metrics) = (Arc::clone(&self.counts), Arc::clone(&self.metrics));
        Ok(StreamPermit { principal, counts, metrics })
    }

    /// Opens a stream that continues from a bookmark: it begins with the events since then, or with
    /// `reset` if they are not known. It reads the store.
    ///
    /// # Errors
    /// The store failed, or no thread can be started.
    pub(crate) fn open_stream(
        self: &Arc<Self>,
        viewer: Caller,
        from: Option<&Bookmark>,
        drain_state: Option<DrainState>,
        permit: StreamPermit,
    ) -> Result<StreamHandle, ApiError> {
        // during the lock nothing is polled, so the stream misses nothing between this read and the next poll
        let mut state = self.lock();
        let batch = self.auth.poll_live_events(from)?;
        let handle = StreamHandle { queue: Arc::default(), _permit: permit };
        handle.queue.push(frames::render_start(), Bytes::new);
        let stream = Stream { viewer, checked_version: None, queue: Arc::clone(&handle.queue), drain_state };
        self.send_batch(&stream, &batch, &render_changes(&batch));
        state.position.get_or_insert(batch.next);
        state.streams.push(stream);
        if !state.is_polling {
            self.start_poller()
                .map_err(|error| ApiError::unavailable(format!("the event thread cannot be started: {error}")))?;
            state.is_polling = true;
        }
        Ok(handle)
    }

    fn start_poller(self: &Arc<Self>) -> std::io::Result<()> {
        let (hub, signal) = (Arc::downgrade(self), Arc::clone(&self.signal));
        std::thread::Builder::new().name("events".to_owned()).spawn(move || run_poller(&hub, &signal)).map(drop)
    }

    /// Polls once. Returns false if there is no stream any more.
    fn poll(&self) -> bool {
        let mut state = self.lock();
        let HubState { position, streams, is_polling, has_failed } = &mut *state;
        streams.retain(|stream| !stream.queue.is_closed());
        if streams.is_empty() {
            (*position, *is_polling) = (None, false);
            return false;
        }
        let batch = match self.auth.poll_live_events(position.as_ref()) {
            Ok(batch) => {
                *has_failed = false;
                *position = Some(batch.next.clone());
                Some(batch)
            }
            Err(error) => {
                if !std::mem::replace(has_failed, true) {
                    tracing::warn!(%error, "polling the live events failed; it will be retried");
                }
                None
            }
        };
        let changes = batch.as_ref().map(render_changes).unwrap_or_default();
        let updates = batch.as_ref().filter(|batch| batch.has_gap || !batch.events.is_empty());
        for stream in streams.iter_mut() {
            match self.recheck_viewer(stream, updates.is_some()) {
                Ok(()) => {
                    if let Some(batch) = updates {
                        self.send_batch(stream, batch, &changes);
                    }
                }
                Err(Error::Denied(_)) => stream.queue.close(),
                // without the viewer's rights nothing can be sent
                Err(_) => {
                    if let Some(batch) = updates {
                        self.send_reset(stream, batch);
                    }
                }
            }
        }
        true
    }

    /// Checks the viewer again if there are updates or anything has changed.
    ///
    /// # Errors
    /// [`Error::Denied`] if the stream has to end.
    fn recheck_viewer(&self, stream: &mut Stream, has_updates: bool) -> Result<(), Error> {
        let expires_at = stream.viewer.session_context().map(|session| session.expires_at);
        let is_over = expires_at.is_none_or(|expires_at| expires_at <= self.auth.time().at)
            || stream.drain_state.as_ref().is_some_and(DrainState::has_begun);
        if is_over {
            return Err(TokenDenied::Expired.into());
        }
        let version = self.auth.change_version();
        if has_updates || stream.checked_version != Some(version) {
            stream.viewer = self.auth.recheck_caller(&stream.viewer)?;
            stream.checked_version = Some(version);
        }
        Ok(())
    }

    /// Sends what the viewer may see of a batch. `changes` are its events as text.
    fn send_batch(&self, stream: &Stream, batch: &LiveEventBatch, changes: &[String]) {
        if batch.has_gap {
            return self.send_reset(stream, batch);
        }
        let visible = batch.events.iter().zip(changes).filter(|(event, _)| may_see_event(&stream.viewer, event));
        if let Some(frames) = frames::join_changes(visible.map(|(_, change)| change.as_str()), &batch.next)
            && stream.queue.push(frames, || frames::render_reset(&batch.next))
        {
            self.metrics.count_event_reset();
        }
    }

    fn send_reset(&self, stream: &Stream, batch: &LiveEventBatch) {
        let reset = frames::render_reset(&batch.next);
        stream.queue.push(reset.clone(), || reset);
        self.metrics.count_event_reset();
    }
}

fn render_changes(batch: &LiveEventBatch) -> Vec<String> {
    batch.events.iter().map(frames::render_change).collect()
}

fn run_poller(hub: &Weak<EventHub>, signal: &PollSignal) {
    loop {
        std::thread::sleep(MIN_POLL_INTERVAL);
        signal.wait();
        let Some(hub) = hub.upgrade() else { return };
        if !hub.poll() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use tillgate_domain::UserId;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn streams_are_limited_for_each_principal_and_for_the_process() {
        let counts = StreamCounts::default();
        let principal = |number: usize| PrincipalId::User(UserId(Uuid::from_u128(number as u128)));
        for number in 0..MAX_STREAMS {
            assert_eq!(counts.increment(principal(number / MAX_STREAMS_PER_PRINCIPAL)), Ok(number + 1));
        }
        assert_eq!(counts.increment(principal(0)), Err(StreamLimit::Principal));
        assert_eq!(counts.increment(principal(MAX_STREAMS)), Err(StreamLimit::Process));
        assert_eq!(counts.decrement(principal(0)), MAX_STREAMS - 1);
        assert_eq!(counts.increment(principal(0)), Ok(MAX_STREAMS));
    }
}
