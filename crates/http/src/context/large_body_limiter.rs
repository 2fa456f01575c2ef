//! A bound on the number of bodies above the usual size limit that are read at the same time. They
//! are read before the client is authenticated, so their number bounds the memory that strangers
//! can occupy.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::ApiError;

/// Size limit of bodies with a ticket, in bytes. Every ticket in a response of the server fits,
/// however many items it has.
pub(crate) const MAX_TICKET_BODY_BYTES: usize = 2 * 1024 * 1024;

/// Maximum number of large bodies at the same time.
const MAX_LARGE_BODIES: usize = 32;

/// The number of large bodies that are being read or answered.
#[derive(Debug, Default)]
pub(crate) struct LargeBodyLimiter(AtomicUsize);

/// The permit to read one large body, which is released on drop.
#[derive(Debug)]
pub(crate) struct LargeBodyPermit<'b>(&'b LargeBodyLimiter);

impl LargeBodyLimiter {
    /// Claims a permit.
    ///
    /// # Errors
    /// Unavailable if no permit is free.
    pub(crate) fn claim(&self) -> Result<LargeBodyPermit<'_>, ApiError> {
        let one_more = |count: usize| (count < MAX_LARGE_BODIES).then_some(count + 1);
        match self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more) {
            Ok(_) => Ok(LargeBodyPermit(self)),
            Err(_) => Err(ApiError::unavailable("too many large bodies are being read")),
        }
    }
}

impl Drop for LargeBodyPermit<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_bodies_are_limited() {
        let bodies = LargeBodyLimiter::default();
        let mut all: Vec<_> = (0..MAX_LARGE_BODIES).map(|_| bodies.claim().unwrap()).collect();
        assert!(bodies.claim().is_err());
        all.pop();
        assert!(bodies.claim().is_ok());
        assert_eq!(bodies.0.load(Ordering::Acquire), MAX_LARGE_BODIES - 1);
    }
}
