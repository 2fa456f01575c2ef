//! Goes along the chain of the audit, line by line, and says which is the first that is not as it was sealed.
//!
//! It sees one line at a time and keeps the last seal, so a chain of any length takes the same memory. It knows no store.

use std::fmt;

use super::seal::{SEAL_ENCODING_VERSION, Seal, SealKey, SealedEvent};

/// What is wrong with a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChainError {
    /// Lines up to the one that was found are missing: removed, or robbed of their seals.
    Missing {
        /// The first number that is missing.
        first: i64,
        /// The last.
        last: i64,
    },
    /// Its number is one that was there already, or is below the first.
    OutOfOrder,
    /// It has no seal beside its number, or one of a version that this program does not know.
    Unreadable,
    /// It was not sealed after the line that now stands before it.
    Detached,
    /// What it says, or its seal, is not what was sealed.
    Changed,
    /// The chain ends before its newest seal: what followed was cut off.
    Truncated {
        /// The number of the newest seal.
        newest: i64,
        /// Who knows of it.
        source: SealSource,
    },
    /// The line bears another seal than the one that was noted for its number.
    SealMismatch {
        /// Who has noted it.
        source: SealSource,
    },
    /// Lines follow on the newest seal that the database notes.
    PastNewest {
        /// The number of the newest seal.
        newest: i64,
    },
}

/// Who has noted a seal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SealSource {
    /// The database, beside the lines.
    Database,
    /// A note outside of it.
    Outside,
}

impl ChainError {
    /// A stable word for it.
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
            Self::Missing { first, last } if first == last => write!(f, "line {first} before it is missing"),
            Self::Missing { first, last } => write!(f, "lines {first} to {last} before it are missing"),
            Self::OutOfOrder => f.write_str("its number is not the next one"),
            Self::Unreadable => f.write_str("its seal is missing or of no version that is known"),
            Self::Detached => f.write_str("it was not sealed after the line that now stands before it"),
            Self::Changed => f.write_str("it is not as it was sealed"),
            Self::Truncated { newest, source: told_by } => {
                write!(
                    f,
                    "the chain ends with it, but {told_by} knows of line {newest}: the lines between were cut off"
                )
            }
            Self::SealMismatch { source: told_by } => write!(f, "its seal is not the one that {told_by} knows"),
            Self::PastNewest { newest } => {
                write!(f, "it follows on line {newest}, which the database notes as the newest")
            }
        }
    }
}

/// The way along a chain.
#[derive(Clone, Debug, Default)]
pub struct ChainVerifier {
    /// The seal of the line before.
    last: Seal,
    /// A seal that was noted outside.
    outside: Option<Seal>,
}

impl ChainVerifier {
    /// The way along a chain of which somebody has noted a seal outside.
    pub fn new(outside: Option<Seal>) -> Self {
        Self { last: Seal::default(), outside }
    }

    /// The seal of the last line that was as it was sealed.
    pub fn last_seal(&self) -> &Seal {
        &self.last
    }

    /// Takes the next line, or says what is wrong with it.
    pub fn verify_next(&mut self, signet: &dyn SealKey, sealed: &SealedEvent) -> Result<(), ChainError> {
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
        let seal = self.last.seal_next(signet, &sealed.event);
        if seal.hash != *hash {
            return Err(ChainError::Changed);
        }
        if self.outside.as_ref().is_some_and(|noted| noted.sequence == seal.sequence && noted.hash != seal.hash) {
            return Err(ChainError::SealMismatch { source: SealSource::Outside });
        }
        self.last = seal;
        Ok(())
    }

    /// What is wrong with the end of the chain, where the last line was taken; `newest` is what the database notes.
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
