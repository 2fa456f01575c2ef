//! Bodies are handed over in small pieces: a connection buffers what it was handed, so a whole body at once is held as long as its
//! client does not read.

use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::web::Bytes;

use crate::connection::Answering;

/// The most bytes of a body that are handed over at once.
pub(crate) const MAX_PIECE: usize = 16 * 1024;

/// A body in pieces of at most [`MAX_PIECE`] bytes. They share the memory of the body; nothing is copied.
#[derive(Debug)]
pub struct Pieces {
    body: BoxBody,
    rest: Bytes,
    _answering: Option<Answering>,
}

impl Pieces {
    pub(crate) fn new(body: BoxBody, answering: Option<Answering>) -> Self {
        Self { body, rest: Bytes::new(), _answering: answering }
    }
}

impl MessageBody for Pieces {
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
        let length = self.rest.len().min(MAX_PIECE);
        Poll::Ready(Some(Ok(self.rest.split_to(length))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[actix_web::test]
    async fn body_comes_in_pieces_and_whole() {
        let whole = Bytes::from("x".repeat(2 * MAX_PIECE + 1));
        let mut body = Pieces::new(BoxBody::new(whole.clone()), None);
        assert_eq!(body.size(), BodySize::Sized(whole.len() as u64));
        let mut lengths = Vec::new();
        while let Some(piece) = std::future::poll_fn(|context| Pin::new(&mut body).poll_next(context)).await {
            lengths.push(piece.unwrap().len());
        }
        assert_eq!(lengths, [MAX_PIECE, MAX_PIECE, 1]);
    }
}
