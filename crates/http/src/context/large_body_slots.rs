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
pub(crate) struct LargeBodySlots(AtomicUsize);

/// A slot for one large body, which is released on drop.
#[derive(Debug)]
pub(crate) struct LargeBodySlot<'b>(&'b LargeBodySlots);

impl LargeBodySlots {
    /// Claims a slot.
    ///
    /// # Errors
    /// Unavailable if no slot is free.
    pub(crate) fn claim(&self) -> Result<LargeBodySlot<'_>, ApiError> {
        let one_more = |count: usize| (count < MAX_LARGE_BODIES).then_some(count + 1);
        match self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more) {
            Ok(_) => Ok(LargeBodySlot(self)),
            Err(_) => Err(ApiError::unavailable("too many large bodies are being read")),
        }
    }
}

impl Drop for LargeBodySlot<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_body_slots_are_limited() {
        let bodies = LargeBodySlots::default();
        let mut all: Vec<_> = (0..MAX_LARGE_BODIES).map(|_| bodies.claim().unwrap()).collect();
        assert!(bodies.claim().is_err());
        all.pop();
        assert!(bodies.claim().is_ok());
        assert_eq!(bodies.0.load(Ordering::Acquire), MAX_LARGE_BODIES - 1);
    }
}
