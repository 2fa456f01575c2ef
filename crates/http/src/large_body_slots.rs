//! How many bodies beyond the usual limit are read and answered at once. They are read before it is known who sends them, so their
//! number is what bounds the memory that strangers can take.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::ApiError;

/// How large the bodies of calls that carry a ticket may be, in bytes: what the server shows of a ticket fits into one, however many
/// items the ticket has.
pub(crate) const MAX_TICKET_BODY_BYTES: usize = 2 * 1024 * 1024;

/// How many there are at once.
const MAX_LARGE_BODIES: usize = 32;

/// The large bodies that are being read or answered.
#[derive(Debug, Default)]
pub(crate) struct LargeBodySlots(AtomicUsize);

/// The place of one of them, which is free again when this is dropped.
#[derive(Debug)]
pub(crate) struct LargeBodySlot<'b>(&'b LargeBodySlots);

impl LargeBodySlots {
    /// Takes a place for one more.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn claim(&self) -> Result<LargeBodySlot<'_>, ApiError> {
        let one_more = |count: usize| (count < MAX_LARGE_BODIES).then_some(count + 1);
        match self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more) {
            Ok(_) => Ok(LargeBodySlot(self)),
            Err(_) => Err(ApiError::unavailable("too many large bodies are read at once")),
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
