//! How many bodies beyond the usual limit are read and answered at once. They are read before it is known who sends them, so their
//! number is what bounds the memory that strangers can take.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::failure::Failure;

/// How large the bodies of calls that carry a ticket may be, in bytes: what the server shows of a ticket fits into one, however many
/// items the ticket has.
pub(crate) const MAX_TICKET_BODY: usize = 2 * 1024 * 1024;

/// How many there are at once.
const MOST: usize = 32;

/// The large bodies that are being read or answered.
#[derive(Debug, Default)]
pub(crate) struct LargeBodies(AtomicUsize);

/// The place of one of them, which is free again when this is dropped.
#[derive(Debug)]
pub(crate) struct LargeBody<'b>(&'b LargeBodies);

impl LargeBodies {
    /// Takes a place for one more.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn admit(&self) -> Result<LargeBody<'_>, Failure> {
        let one_more = |count: usize| (count < MOST).then_some(count + 1);
        match self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more) {
            Ok(_) => Ok(LargeBody(self)),
            Err(_) => Err(Failure::unavailable("too many large bodies are read at once")),
        }
    }
}

impl Drop for LargeBody<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_large_bodies_are_read_at_once_and_no_more() {
        let bodies = LargeBodies::default();
        let mut all: Vec<_> = (0..MOST).map(|_| bodies.admit().unwrap()).collect();
        assert!(bodies.admit().is_err());
        all.pop();
        assert!(bodies.admit().is_ok());
        assert_eq!(bodies.0.load(Ordering::Acquire), MOST - 1);
    }
}
