//! Responses that are produced part by part. A part is produced when the previous one has been
//! sent, so a response occupies no more memory than its largest part, however long it is and
//! however slowly it is read.

use std::fmt;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use actix_web::HttpResponse;
use actix_web::body::{BodySize, MessageBody};
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderValue};
use actix_web::web::Bytes;

use crate::context::MountContext;
use crate::context::blocking_pool::run_blocking_unlimited;
use crate::context::office::OfficeContext;
use crate::error::ApiError;
use crate::request::Request;
use crate::serving::chunked_body::MAX_CHUNK_BYTES;

/// A produced part, and the source of the following ones; `None` after the last.
pub(crate) type StreamPart<P> = (Vec<u8>, Option<P>);

/// Produces a response part by part.
pub(crate) trait PartSource: Sized + Send + Unpin + 'static {
    /// Produces the next part. It may be empty if nothing has been found yet.
    ///
    /// # Errors
    /// The store failed, or the part cannot be serialized.
    fn next_part(self, context: &OfficeContext<'_>) -> Result<StreamPart<Self>, ApiError>;
}

/// Sends the JSON that `parts` produces; see [`stream_parts`].
///
/// # Errors
/// The first part could not be produced.
pub(crate) async fn stream_json<P: PartSource>(call: &Request, parts: P) -> Result<HttpResponse, ApiError> {
    stream_parts(call, "application/json", parts).await
}

/// Sends what `parts` produces, of this media type. A failure of the first part is answered like
/// any other; a later failure closes the connection before the end of the response, which clients
/// recognize as incomplete. For `HEAD` only the first part is produced.
///
/// # Errors
/// The first part could not be produced.
pub(crate) async fn stream_parts<P: PartSource>(
    call: &Request,
    media_type: &'static str,
    parts: P,
) -> Result<HttpResponse, ApiError> {
    let (first, rest) = call.with_office(move |context| parts.next_part(context)).await?;
    let mut response = match rest {
        None => HttpResponse::with_body(StatusCode::OK, first).map_into_boxed_body(),
        Some(_) if call.head().method() == actix_web::http::Method::HEAD => {
            HttpResponse::with_body(StatusCode::OK, StreamedBody::<P>::new(call, Vec::new(), None))
                .map_into_boxed_body()
        }
        rest => HttpResponse::with_body(StatusCode::OK, StreamedBody::new(call, first, rest)).map_into_boxed_body(),
    };
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    Ok(response)
}

type PartFuture<P> = Pin<Box<dyn Future<Output = Result<StreamPart<P>, ApiError>>>>;

/// A body whose parts are produced on threads of the blocking pool.
struct StreamedBody<P> {
    mount: Arc<MountContext>,
    trace: String,
    /// Address of the client.
    address: Option<IpAddr>,
    /// The unsent rest of the current part.
    buffer: Bytes,
    /// The source of the next part, unless that is being produced.
    rest: Option<P>,
    pending: Option<PartFuture<P>>,
}

impl<P: PartSource> StreamedBody<P> {
    fn new(call: &Request, first: Vec<u8>, rest: Option<P>) -> Self {
        let (mount, trace) = (Arc::clone(call.mount()), call.head().trace_id().to_owned());
        Self { mount, trace, address: call.address(), buffer: first.into(), rest, pending: None }
    }

    fn start_part(&self, parts: P) -> PartFuture<P> {
        let (mount, address) = (Arc::clone(&self.mount), self.address);
        Box::pin(async move {
            run_blocking_unlimited(&mount, address, move |mount| {
                parts.next_part(&OfficeContext { store: &*mount.server.office, auth: &mount.server.auth })
            })
            .await
        })
    }
}

/// A response ended before it was complete.
#[derive(Debug)]
struct TruncatedStream;

impl fmt::Display for TruncatedStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the response could not be completed")
    }
}

impl std::error::Error for TruncatedStream {}

impl<P: PartSource> MessageBody for StreamedBody<P> {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let this = self.get_mut();
        loop {
            if !this.buffer.is_empty() {
                let length = this.buffer.len().min(MAX_CHUNK_BYTES);
                return Poll::Ready(Some(Ok(this.buffer.split_to(length))));
            }
            if let Some(pending) = &mut this.pending {
                let part = ready!(pending.as_mut().poll(context));
                this.pending = None;
                match part {
                    Ok((bytes, rest)) => (this.buffer, this.rest) = (bytes.into(), rest),
                    Err(failure) => {
                        tracing::warn!(
                            trace = this.trace,
                            mount = this.mount.name,
                            ?failure,
                            "a response was cut short"
                        );
                        return Poll::Ready(Some(Err(Box::new(TruncatedStream))));
                    }
                }
            } else if let Some(rest) = this.rest.take() {
                this.pending = Some(this.start_part(rest));
            } else {
                return Poll::Ready(None);
            }
        }
    }
}
