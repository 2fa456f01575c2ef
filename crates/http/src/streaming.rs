//! Answers that are written part by part: each part is made when the pieces of the one before have been taken, so that an answer takes
//! no more room than its largest part, however long it is and however slowly it is read.

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

use crate::chunked_body::MAX_CHUNK_BYTES;
use crate::error::ApiError;
use crate::mount::MountService;
use crate::office::Office;
use crate::request::Request;

/// A part that was made, and what makes those after it; `None` after the last.
pub(crate) type StreamPart<P> = (Vec<u8>, Option<P>);

/// Makes an answer part by part.
pub(crate) trait PartSource: Sized + Send + Unpin + 'static {
    /// Makes the next part. It may be empty where nothing of the answer has been found yet.
    ///
    /// # Errors
    /// The store failed, or an answer cannot be written.
    fn next_part(self, office: &Office<'_>) -> Result<StreamPart<Self>, ApiError>;
}

/// Answers JSON that `parts` makes. What fails before the first part is made is answered as every failure; later the connection ends
/// without the end of the answer, which no client takes for a whole one. A `HEAD` has no more than its first part made.
///
/// # Errors
/// The first part could not be made.
pub(crate) async fn stream_json<P: PartSource>(call: &Request, parts: P) -> Result<HttpResponse, ApiError> {
    let (first, rest) = call.with_office(move |office| parts.next_part(office)).await?;
    let mut answer = match rest {
        None => HttpResponse::with_body(StatusCode::OK, first).map_into_boxed_body(),
        Some(_) if call.head().method() == actix_web::http::Method::HEAD => {
            HttpResponse::with_body(StatusCode::OK, StreamedBody::<P>::new(call, Vec::new(), None))
                .map_into_boxed_body()
        }
        rest => HttpResponse::with_body(StatusCode::OK, StreamedBody::new(call, first, rest)).map_into_boxed_body(),
    };
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(answer)
}

type PartFuture<P> = Pin<Box<dyn Future<Output = Result<StreamPart<P>, ApiError>>>>;

/// A body whose parts are made on a thread that may wait.
struct StreamedBody<P> {
    mounted: Arc<MountService>,
    trace: String,
    /// Where the request comes from.
    address: Option<IpAddr>,
    /// What is left of the part that was made last.
    buffer: Bytes,
    /// What makes the next part, while none is being made.
    rest: Option<P>,
    pending: Option<PartFuture<P>>,
}

impl<P: PartSource> StreamedBody<P> {
    fn new(call: &Request, made: Vec<u8>, rest: Option<P>) -> Self {
        let (mounted, trace) = (Arc::clone(call.mount()), call.head().trace_id().to_owned());
        Self { mounted, trace, address: call.address(), buffer: made.into(), rest, pending: None }
    }

    fn start_part(&self, parts: P) -> PartFuture<P> {
        let (mounted, address) = (Arc::clone(&self.mounted), self.address);
        Box::pin(async move {
            crate::blocking_pool::run_blocking_unlimited(&mounted, address, move |mounted| {
                parts.next_part(&Office { store: &*mounted.server.office, auth: &mounted.server.auth })
            })
            .await
        })
    }
}

/// An answer that could not be written to its end.
#[derive(Debug)]
struct TruncatedStream;

impl fmt::Display for TruncatedStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the answer could not be written to its end")
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
            if let Some(making) = &mut this.pending {
                let made = ready!(making.as_mut().poll(context));
                this.pending = None;
                match made {
                    Ok((made, rest)) => (this.buffer, this.rest) = (made.into(), rest),
                    Err(failure) => {
                        tracing::warn!(
                            trace = this.trace,
                            mount = this.mounted.name,
                            ?failure,
                            "an answer was cut short"
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
