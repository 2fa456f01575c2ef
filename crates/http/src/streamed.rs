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

use crate::call::Call;
use crate::failure::Failure;
use crate::mount::Mounted;
use crate::office::Office;
use crate::pieces::MAX_PIECE;

/// A part that was made, and what makes those after it; `None` after the last.
pub(crate) type Part<P> = (Vec<u8>, Option<P>);

/// Makes an answer part by part.
pub(crate) trait Parts: Sized + Send + Unpin + 'static {
    /// Makes the next part. It may be empty where nothing of the answer has been found yet.
    ///
    /// # Errors
    /// The store failed, or an answer cannot be written.
    fn next(self, office: &Office<'_>) -> Result<Part<Self>, Failure>;
}

/// Answers JSON that `parts` makes. What fails before the first part is made is answered as every failure; later the connection ends
/// without the end of the answer, which no client takes for a whole one. A `HEAD` has no more than its first part made.
///
/// # Errors
/// The first part could not be made.
pub(crate) async fn json<P: Parts>(call: &Call, parts: P) -> Result<HttpResponse, Failure> {
    let (first, rest) = call.office(move |office| parts.next(office)).await?;
    let mut answer = match rest {
        None => HttpResponse::with_body(StatusCode::OK, first).map_into_boxed_body(),
        Some(_) if call.head().method() == actix_web::http::Method::HEAD => {
            HttpResponse::with_body(StatusCode::OK, Streamed::<P>::new(call, Vec::new(), None)).map_into_boxed_body()
        }
        rest => HttpResponse::with_body(StatusCode::OK, Streamed::new(call, first, rest)).map_into_boxed_body(),
    };
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(answer)
}

type Making<P> = Pin<Box<dyn Future<Output = Result<Part<P>, Failure>>>>;

/// A body whose parts are made on a thread that may wait.
struct Streamed<P> {
    mounted: Arc<Mounted>,
    trace: String,
    /// Where the request comes from.
    address: Option<IpAddr>,
    /// What is left of the part that was made last.
    made: Bytes,
    /// What makes the next part, while none is being made.
    rest: Option<P>,
    making: Option<Making<P>>,
}

impl<P: Parts> Streamed<P> {
    fn new(call: &Call, made: Vec<u8>, rest: Option<P>) -> Self {
        let (mounted, trace) = (Arc::clone(call.mounted()), call.head().trace().to_owned());
        Self { mounted, trace, address: call.address(), made: made.into(), rest, making: None }
    }

    fn make(&self, parts: P) -> Making<P> {
        let (mounted, address) = (Arc::clone(&self.mounted), self.address);
        Box::pin(async move {
            crate::blocking::block_begun(&mounted, address, move |mounted| {
                parts.next(&Office { store: &*mounted.shared.office, engine: &mounted.shared.auth })
            })
            .await
        })
    }
}

/// An answer that could not be written to its end.
#[derive(Debug)]
struct CutShort;

impl fmt::Display for CutShort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the answer could not be written to its end")
    }
}

impl std::error::Error for CutShort {}

impl<P: Parts> MessageBody for Streamed<P> {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let this = self.get_mut();
        loop {
            if !this.made.is_empty() {
                let length = this.made.len().min(MAX_PIECE);
                return Poll::Ready(Some(Ok(this.made.split_to(length))));
            }
            if let Some(making) = &mut this.making {
                let made = ready!(making.as_mut().poll(context));
                this.making = None;
                match made {
                    Ok((made, rest)) => (this.made, this.rest) = (made.into(), rest),
                    Err(failure) => {
                        tracing::warn!(
                            trace = this.trace,
                            mount = this.mounted.name,
                            ?failure,
                            "an answer was cut short"
                        );
                        return Poll::Ready(Some(Err(Box::new(CutShort))));
                    }
                }
            } else if let Some(rest) = this.rest.take() {
                this.making = Some(this.make(rest));
            } else {
                return Poll::Ready(None);
            }
        }
    }
}
