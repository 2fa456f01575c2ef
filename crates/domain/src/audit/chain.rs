//! Verifies the chain of sealed audit events, and finds the first event that is not as it was
//! sealed.
//!
//! It processes one event at a time and keeps only the last seal, so a chain of any length needs
//! the same memory. It does not access a store.

use std::fmt;

use super::seal::{SEAL_ENCODING_VERSION, Seal, SealKey, SealedEvent};

/// What is wrong with a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChainError {
    /// Events before this one are missing: they were removed, or lost their seals.
    Missing {
        /// The first missing number.
        first: i64,
        /// The last missing number.
        last: i64,
    },
    /// The number of the event was used before, or is less than 1.
    OutOfOrder,
    /// The event has a number but no seal, or a seal of an unknown version.
    Unreadable,
    /// The event was not sealed after the event that precedes it now.
    Detached,
    /// The event or its seal was changed.
    Changed,
    /// The chain ends before its newest seal: its end was cut off.
    Truncated {
        /// The number of the newest seal.
        newest: i64,
        /// The record of the newest seal.
        source: SealSource,
    },
    /// The seal of the event differs from the one that was recorded for its number.
    SealMismatch {
        /// The record of the other seal.
        source: SealSource,
    },
    /// There are events after the newest seal that the database records.
    PastNewest {
        /// The number of the newest seal.
        newest: i64,
    },
}

/// The record of a seal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SealSource {
    /// The database, beside the events.
    Database,
    /// A record outside the database.
    Outside,
}

impl ChainError {
    /// The stable code of the error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "missing",
            Self::OutOfOrder => "out_of_order",
            Self::Unreadable => "unreadable",
            Self::Detached => "detached",
            Self::Changed => "changed",
            Self::Truncated { .. } => "cut",
            Self::SealMismatch { .. } => "other",
            Self::PastNewest { .. } => "beyond",
        }
    }
}

impl fmt::Display for SealSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Database => "the database",
            Self::Outside => "the seal outside the database",
        })
    }
}

impl fmt::Display for ChainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { first, last } if first == last => write!(f, "event {first} before it is missing"),
            Self::Missing { first, last } => write!(f, "events {first} to {last} before it are missing"),
            Self::OutOfOrder => f.write_str("its number is not the next one"),
            Self::Unreadable => f.write_str("its seal is missing or has an unknown version"),
            Self::Detached => f.write_str("it was not sealed after the event that precedes it now"),
            Self::Changed => f.write_str("it was changed after it was sealed"),
            Self::Truncated { newest, source } => {
                write!(f, "the chain ends with it, but {source} knows event {newest}: the events after it were cut off")
            }
            Self::SealMismatch { source } => write!(f, "its seal is not the one that {source} knows"),
            Self::PastNewest { newest } => {
                write!(f, "it follows event {newest}, which the database records as the newest")
            }
        }
    }
}

/// Verifies a chain, event by event.
#[derive(Clone, Debug, Default)]
pub struct ChainVerifier {
    /// The seal of the previous event.
    last: Seal,
    /// A seal that was recorded outside the database.
    outside: Option<Seal>,
}

impl ChainVerifier {
    /// Starts to verify a chain. `outside` is a seal that was recorded outside the database.
    pub fn new(outside: Option<Seal>) -> Self {
        Self { last: Seal::default(), outside }
    }

    /// The seal of the last event that was as sealed.
    pub fn last_seal(&self) -> &Seal {
        &self.last
    }

    /// Verifies the next event.
    pub fn verify_next(&mut self, key: &dyn SealKey, sealed: &SealedEvent) -> Result<(), ChainError> {
        let expected = self.last.sequence.saturating_add(1);
        if sealed.sequence > expected {
            return Err(ChainError::Missing { first: expected, last: sealed.sequence.saturating_sub(1) });
        }
        if sealed.sequence < expected {
            return Err(ChainError::OutOfOrder);
        }
        let Some(hash) = sealed.hash.as_ref().filter(|hash| hash.first() == Some(&SEAL_ENCODING_VERSION)) else {
            return Err(ChainError::Unreadable);
        };
        if sealed.previous.as_ref() != Some(&self.last.hash) {
            return Err(ChainError::Detached);
        }
        let seal = self.last.seal_next(key, &sealed.event);
        if seal.hash != *hash {
            return Err(ChainError::Changed);
        }
        if self.outside.as_ref().is_some_and(|noted| noted.sequence == seal.sequence && noted.hash != seal.hash) {
            return Err(ChainError::SealMismatch { source: SealSource::Outside });
        }
        self.last = seal;
        Ok(())
    }

    /// Verifies the end of the chain after its last event; `newest` is the seal that the database
    /// records.
    pub fn finish(&self, newest: &Seal) -> Result<(), ChainError> {
        if let Some(outside) = self.outside.as_ref().filter(|noted| noted.sequence > self.last.sequence) {
            return Err(ChainError::Truncated { newest: outside.sequence, source: SealSource::Outside });
        }
        match newest.sequence.cmp(&self.last.sequence) {
            std::cmp::Ordering::Greater => {
                Err(ChainError::Truncated { newest: newest.sequence, source: SealSource::Database })
            }
            std::cmp::Ordering::Less => Err(ChainError::PastNewest { newest: newest.sequence }),
            std::cmp::Ordering::Equal if newest.hash != self.last.hash => {
                Err(ChainError::SealMismatch { source: SealSource::Database })
            }
            std::cmp::Ordering::Equal => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
