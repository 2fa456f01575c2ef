//! The chain of the audit, as its sealer writes it and as those read it who verify it.

use crate::StoreResult;
use crate::audit::seal::{Seal, SealedEvent, StoredEvent};

/// How many lines have no seal yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UnsealedCount {
    /// How many, as far as they were counted.
    pub events: u32,
    /// The instant of the first of them, in milliseconds since the Unix epoch.
    pub since: Option<i64>,
}

/// The seals of the audit.
pub trait Seals {
    /// The newest seal.
    fn find_newest(&mut self) -> StoreResult<Seal>;
    /// Claims the chain and returns its newest seal: until this unit of work ends nobody else claims it.
    fn claim(&mut self) -> StoreResult<Seal>;
    /// How many lines have no seal, counted up to `most`.
    fn count_unsealed(&mut self, most: u32) -> StoreResult<UnsealedCount>;
    /// Lines without a seal in the order of their ids, `limit` at most. A line that is committed late is one of them until it is
    /// sealed, so none is passed over.
    fn list_unsealed(&mut self, limit: u32) -> StoreResult<Vec<StoredEvent>>;
    /// Writes the seals of lines that have none, by their ids, and the last of them as the newest. `before` is the seal that the
    /// first follows on. It is a conflict where one of the lines has a seal already.
    fn insert_seals(&mut self, before: &Seal, seals: &[(Vec<u8>, Seal)]) -> StoreResult<()>;
    /// Sealed lines from this number on, in the order of their numbers, `limit` at most.
    fn list_sealed(&mut self, from: i64, limit: u32) -> StoreResult<Vec<SealedEvent>>;
}
