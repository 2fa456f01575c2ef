//! The byte stream of a connection, with or without TLS, as the HTTP service reads and writes it.
//!
//! Nothing is read while a response waits to be written, so a client that sends but does not read
//! occupies no more memory than one read. If the head of a request arrives too slowly, the stream
//! answers 408 and reads no more. Nothing is written after a response that announced the end of the
//! connection, and what follows it is not processed (RFC 9112, 9.6). When the server stops, a
//! connection without a request in progress reports the end of its input, and the service closes it
//! as if the client had.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use tillgate_http::Connection;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::server::TlsStream;

use super::socket::Socket;

/// The transport of a connection.
pub(super) enum Transport {
    Plain(Socket),
    Tls(Box<TlsStream<Socket>>),
}

impl Transport {
    fn socket(&self) -> &Socket {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(stream) => stream.get_ref().0,
        }
    }
}

/// The response to a head that arrived too slowly (RFC 9110, 15.5.9). The service does not know it:
/// it sees the end of the client's input.
const TOO_SLOW: &[u8] = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// The byte stream of a connection.
pub(super) struct ConnectionStream {
    transport: Transport,
    connection: Rc<Connection>,
    /// Whether to end as soon as no request is in progress.
    ending_requested: Rc<Cell<bool>>,
    /// Whether the head of a request has taken too long.
    late: Rc<Cell<bool>>,
    /// Whether the response 408 was sent.
    timeout_answered: bool,
    /// Whether a response waits to be written.
    write_blocked: bool,
    /// Whether a read was deferred meanwhile.
    read_deferred: bool,
}

impl ConnectionStream {
    pub(super) fn new(
        transport: Transport,
        connection: Rc<Connection>,
        ending: Rc<Cell<bool>>,
        late: Rc<Cell<bool>>,
    ) -> Self {
        Self {
            transport,
            connection,
            ending_requested: ending,
            late,
            timeout_answered: false,
            write_blocked: false,
            read_deferred: false,
        }
    }

    /// The state of this connection that the web server uses.
    pub(super) fn connection(&self) -> &Rc<Connection> {
        &self.connection
    }

    /// Answers 408, as far as the system accepts it immediately: a slow client is not waited for
    /// again.
    fn answer_timeout(&mut self, context: &mut Context<'_>) {
        if std::mem::replace(&mut self.timeout_answered, true) {
            return;
        }
        let (mut this, mut left) = (Pin::new(self), TOO_SLOW);
        while !left.is_empty() {
            match this.as_mut().poll_write(context, left) {
                Poll::Ready(Ok(written)) if written > 0 => left = left.get(written..).unwrap_or_default(),
                _ => return,
            }
        }
        let _ = this.poll_flush(context);
    }

    /// Records whether writing is blocked.
    fn track_write<T>(&mut self, context: &Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        self.write_blocked = written.is_pending();
        if !self.write_blocked && std::mem::take(&mut self.read_deferred) {
            // the deferred read has registered no waker
            context.waker().wake_by_ref();
        }
        written
    }
}

impl AsyncRead for ConnectionStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.late.get() {
            self.answer_timeout(context);
            return Poll::Ready(Ok(()));
        }
        if self.ending_requested.get() {
            self.connection.wake_when_idle(context.waker());
        }
        if self.write_blocked {
            self.read_deferred = true;
            return Poll::Pending;
        }
        let (before, capacity) = (buffer.filled().len(), buffer.remaining());
        let read = match &mut self.transport {
            Transport::Plain(socket) => Pin::new(socket).poll_read(context, buffer),
            Transport::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        };
        match read {
            Poll::Pending
                if self.ending_requested.get() && self.connection.is_idle() && !self.transport.socket().has_bytes() =>
            {
                Poll::Ready(Ok(()))
            }
            Poll::Pending => Poll::Pending,
            read @ Poll::Ready(_) => {
                if buffer.filled().len() > before {
                    self.connection.record_received();
                } else if capacity > 0 {
                    // the end of the input, or an error
                    self.connection.record_input_end();
                }
                read
            }
        }
    }
}

impl AsyncWrite for ConnectionStream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.connection.is_close_written() {
            return Poll::Ready(Ok(bytes.len()));
        }
        let written = match &mut self.transport {
            Transport::Plain(socket) => Pin::new(socket).poll_write(context, bytes),
            Transport::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        };
        self.track_write(context, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = match &mut self.transport {
            Transport::Plain(socket) => Pin::new(socket).poll_flush(context),
            Transport::Tls(stream) => Pin::new(stream).poll_flush(context),
        };
        if let Poll::Ready(Ok(())) = flushed {
            self.connection.record_flushed();
        }
        self.track_write(context, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.transport {
            Transport::Plain(socket) => Pin::new(socket).poll_shutdown(context),
            Transport::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
