//! A bound on the number of lists that are answered to one principal at the same time: a large list
//! occupies memory from the first row that is read until its last byte is sent.

use std::collections::HashMap;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use actix_web::HttpResponse;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::web::Bytes;
use tillgate_domain::PrincipalId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::ApiError;

/// Maximum number of lists per principal; the next one waits for a permit, until its request's
/// deadline.
pub(crate) const MAX_LISTS_IN_FLIGHT: usize = 2;

/// Number of principals above which idle ones are removed.
const PRUNE_THRESHOLD: usize = 1_024;

/// Size of the pieces in which a response is sent.
const CHUNK_BYTES: usize = 64 * 1024;

/// The permits of all principals.
#[derive(Default)]
pub(crate) struct ListLimiter(Mutex<HashMap<PrincipalId, Arc<Semaphore>>>);

/// The permit to answer one list, which is released on drop.
pub(crate) struct ListPermit {
    _permit: OwnedSemaphorePermit,
}

impl fmt::Debug for ListLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListLimiter").finish_non_exhaustive()
    }
}

impl ListLimiter {
    /// Waits for a permit of the principal.
    ///
    /// # Errors
    /// The semaphore is closed, which never happens.
    pub(crate) async fn acquire(&self, principal: PrincipalId) -> Result<ListPermit, ApiError> {
        let semaphore = {
            let mut semaphores = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if semaphores.len() >= PRUNE_THRESHOLD {
                // a waiting or answering request has a second reference
                semaphores.retain(|_, semaphore| Arc::strong_count(semaphore) > 1);
            }
            Arc::clone(semaphores.entry(principal).or_insert_with(|| Arc::new(Semaphore::new(MAX_LISTS_IN_FLIGHT))))
        };
        let permit = semaphore.acquire_owned().await;
        let permit = permit.map_err(|_| ApiError::Fault("the semaphore of lists is closed".to_owned()))?;
        Ok(ListPermit { _permit: permit })
    }
}

impl ListPermit {
    /// Keeps the permit until the last byte of the response was sent, or its client has
    /// disconnected.
    pub(crate) fn hold_until_sent(self, response: HttpResponse) -> HttpResponse {
        response.map_body(|_, body| BoxBody::new(PermitBody { body, rest: Bytes::new(), _permit: self }))
    }
}

/// A body that keeps a permit, and is sent in pieces.
struct PermitBody {
    body: BoxBody,
    rest: Bytes,
    _permit: ListPermit,
}

impl MessageBody for PermitBody {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Box<dyn std::error::Error>>>> {
        if self.rest.is_empty() {
            match Pin::new(&mut self.body).poll_next(context) {
                Poll::Ready(Some(Ok(bytes))) => self.rest = bytes,
                other => return other,
            }
        }
        let chunk = self.rest.len().min(CHUNK_BYTES);
        Poll::Ready(Some(Ok(self.rest.split_to(chunk))))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use actix_web::http::StatusCode;
    use actix_web::rt::time::timeout;
    use tillgate_domain::UserId;

    use super::*;

    fn principal(number: u128) -> PrincipalId {
        PrincipalId::User(UserId(uuid::Uuid::from_u128(number)))
    }

    /// Whether a permit of the principal is free.
    async fn is_free(limiter: &ListLimiter, number: u128) -> bool {
        timeout(Duration::ZERO, limiter.acquire(principal(number))).await.is_ok()
    }

    #[actix_web::test]
    async fn third_list_of_a_principal_waits() {
        let limiter = Arc::new(ListLimiter::default());
        let first = limiter.acquire(principal(1)).await.unwrap();
        let _second = limiter.acquire(principal(1)).await.unwrap();
        assert!(!is_free(&limiter, 1).await);
        assert!(is_free(&limiter, 2).await, "another's");
        let waiting = actix_web::rt::spawn({
            let limiter = Arc::clone(&limiter);
            async move { limiter.acquire(principal(1)).await.is_ok() }
        });
        drop(first);
        assert!(waiting.await.unwrap());
        assert!(is_free(&limiter, 1).await, "a list that was answered gives its permit back");
    }

    #[actix_web::test]
    async fn permit_is_held_until_response_is_sent_or_dropped() {
        let limiter = ListLimiter::default();
        let whole = "x".repeat(3 * CHUNK_BYTES / 2);
        for taken in [true, false] {
            let _other = limiter.acquire(principal(1)).await.unwrap();
            let permit = limiter.acquire(principal(1)).await.unwrap();
            let response = HttpResponse::with_body(StatusCode::OK, whole.clone()).map_into_boxed_body();
            let held = permit.hold_until_sent(response);
            assert!(!is_free(&limiter, 1).await);
            if taken {
                let bytes = actix_web::body::to_bytes(held.into_body()).await.unwrap();
                assert_eq!(bytes.len(), whole.len());
            } else {
                drop(held);
            }
            assert!(is_free(&limiter, 1).await, "{taken}");
        }
    }

    #[actix_web::test]
    async fn idle_principals_are_pruned() {
        let limiter = ListLimiter::default();
        let kept = limiter.acquire(principal(0)).await.unwrap();
        for number in 1..3 * u128::try_from(PRUNE_THRESHOLD).unwrap() {
            drop(limiter.acquire(principal(number)).await.unwrap());
        }
        assert!(limiter.0.lock().unwrap().len() <= PRUNE_THRESHOLD);
        let _second = limiter.acquire(principal(0)).await.unwrap();
        assert!(!is_free(&limiter, 0).await, "who has one is remembered");
        drop(kept);
    }
}
