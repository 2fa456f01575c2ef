//! Response bodies that are passed to the connection in small pieces. A connection buffers what it
//! is given, so a client that does not read occupies one piece and not a whole response.

use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::web::Bytes;

use crate::request::connection::ResponseGuard;

/// Maximum size of a piece.
pub(crate) const MAX_CHUNK_BYTES: usize = 16 * 1024;

/// A body in pieces of at most 16 KiB, which share the memory of the body.
#[derive(Debug)]
pub struct ChunkedBody {
    body: BoxBody,
    rest: Bytes,
    _response_guard: Option<ResponseGuard>,
}

impl ChunkedBody {
    pub(crate) fn new(body: BoxBody, answering: Option<ResponseGuard>) -> Self {
        Self { body, rest: Bytes::new(), _response_guard: answering }
    }
}

impl MessageBody for ChunkedBody {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        if self.rest.is_empty() {
            match Pin::new(&mut self.body).poll_next(context) {
                Poll::Ready(Some(Ok(bytes))) => self.rest = bytes,
                other => return other,
            }
        }
        let length = self.rest.len().min(MAX_CHUNK_BYTES);
        Poll::Ready(Some(Ok(self.rest.split_to(length))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[actix_web::test]
    async fn body_arrives_whole_in_chunks() {
        let whole = Bytes::from("x".repeat(2 * MAX_CHUNK_BYTES + 1));
        let mut body = ChunkedBody::new(BoxBody::new(whole.clone()), None);
        assert_eq!(body.size(), BodySize::Sized(whole.len() as u64));
        let mut lengths = Vec::new();
        while let Some(piece) = std::future::poll_fn(|context| Pin::new(&mut body).poll_next(context)).await {
            lengths.push(piece.unwrap().len());
        }
        assert_eq!(lengths, [MAX_CHUNK_BYTES, MAX_CHUNK_BYTES, 1]);
    }
}
