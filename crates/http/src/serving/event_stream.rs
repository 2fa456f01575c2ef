//! The body of an event stream.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::{BodySize, MessageBody};
use actix_web::rt::time::{Interval, Sleep, interval, sleep};
use actix_web::web::Bytes;

use crate::context::event_hub::StreamHandle;
use crate::request::connection::Connection;

/// How often the position is sent while there is no event, so that proxies keep the connection, and
/// so that a client that is gone is noticed.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(15);

/// How often the body looks whether the stream has to end although the store does not respond.
const END_CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// The frames of a stream until it is closed, or until the client closes its side.
pub(crate) struct EventStreamBody {
    stream: StreamHandle,
    connection: Option<Rc<Connection>>,
    heartbeat: Pin<Box<Sleep>>,
    end_checks: Interval,
}

impl EventStreamBody {
    pub(crate) fn new(stream: StreamHandle, connection: Option<Rc<Connection>>) -> Self {
        let heartbeat = Box::pin(sleep(HEARTBEAT_INTERVAL));
        Self { stream, connection, heartbeat, end_checks: interval(END_CHECK_INTERVAL) }
    }

    fn restart_heartbeat(&mut self) {
        self.heartbeat = Box::pin(sleep(HEARTBEAT_INTERVAL));
    }
}

impl MessageBody for EventStreamBody {
    type Error = std::convert::Infallible;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let this = self.get_mut();
        if this.connection.as_ref().is_some_and(|connection| connection.poll_input_end(context.waker())) {
            return Poll::Ready(None);
        }
        // an interval wakes the task only after it was found pending
        while this.end_checks.poll_tick(context).is_ready() {}
        if let Poll::Ready(frames) = this.stream.poll_next(context) {
            this.restart_heartbeat();
            return Poll::Ready(frames.map(Ok));
        }
        if this.heartbeat.as_mut().poll(context).is_ready() {
            this.restart_heartbeat();
            if let Some(heartbeat) = this.stream.heartbeat() {
                return Poll::Ready(Some(Ok(heartbeat)));
            }
        }
        Poll::Pending
    }
}
