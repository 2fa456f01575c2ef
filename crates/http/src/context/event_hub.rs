//! The event streams of a process. One thread polls the live events of the store for all of them,
//! and runs only while there is a stream.
//!
//! Each poll checks every stream again: it ends with its session, at the expiry of its access
//! token, and when the server shuts down, and an event is sent only if the viewer may see it at
//! that moment. Frames wait in a queue of bounded size, so a client that does not read costs no
//! more memory.

mod event_queue;
mod frames;
mod stream_counts;

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::web::Bytes;
use tillgate_auth_core::auth::may_see_event;
use tillgate_auth_core::ports::{Bookmark, LiveEventBatch};
use tillgate_auth_core::{Auth, Caller, Error, TokenDenied};
use tillgate_domain::change::Observer;
use tillgate_domain::{Change, Instant, TenantId};

use crate::error::ApiError;
use crate::metrics::Metrics;
use crate::request::connection::DrainState;
use event_queue::EventQueue;
use stream_counts::StreamCounts;

pub(crate) use frames::parse_position;
pub(crate) use stream_counts::{MAX_STREAMS, MAX_STREAMS_PER_PRINCIPAL, MAX_STREAMS_PER_TENANT, StreamPermit};

/// The least time between two polls, however often this process commits.
const MIN_POLL_INTERVAL: Duration = Duration::from_millis(50);

/// How many streams get a batch at once. Between them the workers answer requests, which would
/// otherwise wait until all streams are written.
const STREAMS_PER_BURST: usize = 16;

/// The time between two bursts.
const BURST_INTERVAL: Duration = Duration::from_millis(1);

/// How often a new stream reads its first events, if polls come in between.
const MAX_FIRST_READS: u32 = 5;

/// How often the live events are polled.
const POLL_INTERVAL: Duration = Duration::from_millis(250);

/// The event streams of a process.
pub(crate) struct EventHub {
    auth: Arc<Auth>,
    metrics: Arc<Metrics>,
    /// Never locked while the store is read.
    state: Mutex<HubState>,
    counts: Arc<StreamCounts>,
    signal: Arc<PollSignal>,
}

#[derive(Default)]
struct HubState {
    /// What was sent to the streams; `None` while there is none.
    position: Option<Bookmark>,
    streams: Vec<OpenStream>,
    /// Rises whenever the position passes events.
    advances: u64,
    is_polling: bool,
    /// Whether the newest poll failed, so that an outage is logged once.
    has_failed: bool,
}

impl HubState {
    /// Advances the position after a poll. Returns what it has found, unless it failed.
    fn record_poll(&mut self, polled: Result<LiveEventBatch, Error>) -> Option<LiveEventBatch> {
        match polled {
            Ok(batch) => {
                self.has_failed = false;
                self.position = Some(batch.next.clone());
                self.advances += u64::from(batch.has_updates());
                Some(batch)
            }
            Err(error) => {
                if !std::mem::replace(&mut self.has_failed, true) {
                    tracing::warn!(%error, "polling the live events failed; it will be retried");
                }
                None
            }
        }
    }

    fn set_position(&mut self, position: Bookmark) {
        self.position = Some(position);
        self.advances += 1;
    }
}

/// A stream as the poller sees it.
struct OpenStream {
    viewer: Caller,
    /// The version of the changes at which the viewer was last checked.
    checked_version: Option<u64>,
    queue: Arc<EventQueue>,
    end: StreamEnd,
}

/// A stream that is not polled any more ends.
impl Drop for OpenStream {
    fn drop(&mut self) {
        self.queue.close();
    }
}

/// The conditions that end a stream whatever the store says.
#[derive(Clone)]
struct StreamEnd {
    auth: Arc<Auth>,
    expires_at: Option<Instant>,
    drain_state: Option<DrainState>,
}

impl StreamEnd {
    /// Whether the access token has expired or the server shuts down.
    fn is_reached(&self) -> bool {
        self.expires_at.is_none_or(|expires_at| expires_at <= self.auth.time().at)
            || self.drain_state.as_ref().is_some_and(DrainState::has_begun)
    }
}

/// A stream as its response sees it. Dropping it ends the stream.
pub(crate) struct StreamHandle {
    queue: Arc<EventQueue>,
    end: StreamEnd,
    _permit: StreamPermit,
}

impl StreamHandle {
    /// The next frames; `None` at the end of the stream. Does not wake the task when the access
    /// token expires or the server shuts down: the task has to look again now and then.
    pub(crate) fn poll_next(&self, context: &Context<'_>) -> Poll<Option<Bytes>> {
        if self.end.is_reached() {
            return Poll::Ready(None);
        }
        self.queue.poll_next(context)
    }

    /// What to send if there is no event for a while; `None` if frames wait.
    pub(crate) fn heartbeat(&self) -> Option<Bytes> {
        self.queue.heartbeat()
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

    /// Counts a stream of this caller.
    ///
    /// # Errors
    /// The principal, the tenant or the process has the greatest number of streams.
    pub(crate) fn claim_stream(&self, caller: &Caller) -> Result<StreamPermit, ApiError> {
        Ok(StreamPermit::claim(&self.counts, &self.metrics, caller.principal, caller.profile.tenant.id)?)
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
        let expires_at = viewer.session_context().map(|session| session.expires_at);
        let end = StreamEnd { auth: Arc::clone(&self.auth), expires_at, drain_state };
        let handle = StreamHandle { queue: Arc::default(), end: end.clone(), _permit: permit };
        let stream = OpenStream { viewer, checked_version: None, queue: Arc::clone(&handle.queue), end };
        let (mut state, batch) = self.read_first_batch(from, stream.viewer.profile.tenant.id)?;
        let missed = self.render_batch(&stream.viewer, &batch, &render_changes(&batch));
        // a batch is limited by the number of its events
        stream.queue.push_first(frames::render_start(&missed.unwrap_or_default()));
        stream.queue.set_heartbeat(frames::render_heartbeat(&batch.next));
        if state.position.is_none() {
            state.set_position(batch.next);
        }
        state.streams.push(stream);
        if !state.is_polling {
            self.start_poller()
                .map_err(|error| ApiError::unavailable(format!("the event thread cannot be started: {error}")))?;
            state.is_polling = true;
        }
        Ok(handle)
    }

    /// Reads the events of a tenant since a bookmark. No event is missed between this read and the
    /// next poll, as long as the state stays locked.
    fn read_first_batch(
        &self,
        from: Option<&Bookmark>,
        tenant: TenantId,
    ) -> Result<(MutexGuard<'_, HubState>, LiveEventBatch), Error> {
        let mut advances = self.lock().advances;
        let mut attempts = 1;
        loop {
            let mut batch = self.auth.poll_live_events(from, Some(tenant))?;
            let state = self.lock();
            if state.advances == advances {
                return Ok((state, batch));
            }
            if attempts == MAX_FIRST_READS {
                // its next poll may begin after events that this read did not find
                (batch.has_gap, batch.events) = (true, Vec::new());
                return Ok((state, batch));
            }
            (advances, attempts) = (state.advances, attempts + 1);
        }
    }

    fn start_poller(self: &Arc<Self>) -> std::io::Result<()> {
        let (hub, signal) = (Arc::downgrade(self), Arc::clone(&self.signal));
        std::thread::Builder::new().name("events".to_owned()).spawn(move || run_poller(&hub, &signal)).map(drop)
    }

    /// Polls once. Returns false if there is no stream any more.
    fn poll(&self) -> bool {
        let position = {
            let mut state = self.lock();
            state.streams.retain(|stream| !stream.queue.is_closed());
            if state.streams.is_empty() {
                (state.position, state.is_polling) = (None, false);
                return false;
            }
            state.position.clone()
        };
        let polled = self.auth.poll_live_events(position.as_ref(), None);
        let (batch, mut streams) = {
            let mut state = self.lock();
            let batch = state.record_poll(polled);
            (batch, std::mem::take(&mut state.streams))
        };
        let changes = batch.as_ref().map(render_changes).unwrap_or_default();
        let updates = batch.as_ref().filter(|batch| batch.has_updates());
        let heartbeat = batch.as_ref().map(|batch| frames::render_heartbeat(&batch.next));
        // once for all streams: it may wait
        let is_current = self.auth.catch_up().is_ok();
        for (index, stream) in streams.iter_mut().enumerate() {
            if updates.is_some() && index > 0 && index % STREAMS_PER_BURST == 0 {
                std::thread::sleep(BURST_INTERVAL);
            }
            match self.recheck_viewer(stream, updates.is_some(), is_current) {
                Ok(()) => {
                    if let Some(batch) = updates {
                        self.send_batch(stream, batch, &changes);
                    }
                    if let Some(heartbeat) = &heartbeat {
                        stream.queue.set_heartbeat(heartbeat.clone());
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
        self.lock().streams.append(&mut streams);
        true
    }

    /// Checks the viewer again if there are updates or anything has changed.
    ///
    /// # Errors
    /// [`Error::Denied`] if the stream has to end.
    fn recheck_viewer(&self, stream: &mut OpenStream, has_updates: bool, is_current: bool) -> Result<(), Error> {
        if stream.end.is_reached() {
            return Err(TokenDenied::Expired.into());
        }
        let version = self.auth.change_version();
        if has_updates || stream.checked_version != Some(version) {
            if !is_current {
                return Err(Error::unavailable("the change feed could not be read in time"));
            }
            stream.viewer = self.auth.recheck_caller_in_view(&stream.viewer)?;
            stream.checked_version = Some(version);
        }
        Ok(())
    }

    /// The frames of what the viewer may see of a batch. `changes` are its events as text.
    fn render_batch(&self, viewer: &Caller, batch: &LiveEventBatch, changes: &[String]) -> Option<Bytes> {
        if batch.has_gap {
            self.metrics.count_event_reset();
            return Some(frames::render_reset(&batch.next));
        }
        let visible = batch.events.iter().zip(changes).filter(|(event, _)| may_see_event(viewer, event));
        frames::join_changes(visible.map(|(_, change)| change.as_str()), &batch.next)
    }

    /// Sends what the viewer may see of a batch.
    fn send_batch(&self, stream: &OpenStream, batch: &LiveEventBatch, changes: &[String]) {
        if let Some(frames) = self.render_batch(&stream.viewer, batch, changes)
            && stream.queue.push(frames, || frames::render_reset(&batch.next))
        {
            self.metrics.count_event_reset();
        }
    }

    fn send_reset(&self, stream: &OpenStream, batch: &LiveEventBatch) {
        let reset = frames::render_reset(&batch.next);
        stream.queue.push(reset.clone(), || reset);
        self.metrics.count_event_reset();
    }
}

fn render_changes(batch: &LiveEventBatch) -> Vec<String> {
    batch.events.iter().map(frames::render_change).collect()
}

/// Ends all streams if the poller panics, so that their clients connect again and start another.
struct PanicGuard<'h>(&'h EventHub);

impl Drop for PanicGuard<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let mut state = self.0.lock();
            state.streams.clear();
            (state.position, state.is_polling) = (None, false);
        }
    }
}

fn run_poller(hub: &Weak<EventHub>, signal: &PollSignal) {
    loop {
        std::thread::sleep(MIN_POLL_INTERVAL);
        signal.wait();
        let Some(hub) = hub.upgrade() else { return };
        let _guard = PanicGuard(&hub);
        if !hub.poll() {
            return;
        }
    }
}
