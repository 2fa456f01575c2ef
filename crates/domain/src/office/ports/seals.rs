//! The port for the seals of the audit log.

use crate::StoreResult;
use crate::audit::seal::{Seal, SealedEvent, StoredEvent};

/// The number of events without a seal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UnsealedCount {
    /// The number of events, as far as they were counted.
    pub events: u32,
    /// The instant of the first of them, in milliseconds since the Unix epoch.
    pub since: Option<i64>,
}

/// Reads and writes the seals of audit events.
pub trait Seals {
    /// The newest seal of the chain.
    fn find_newest(&mut self) -> StoreResult<Seal>;
    /// Locks the chain until this unit of work ends, and returns its newest seal.
    fn claim(&mut self) -> StoreResult<Seal>;
    /// The number of events without a seal, counted up to `most`.
    fn count_unsealed(&mut self, most: u32) -> StoreResult<UnsealedCount>;
    /// Lists at most `limit` events without a seal, in the order of their ids. An event that is
    /// committed late is listed until it is sealed, so none is skipped.
    fn list_unsealed(&mut self, limit: u32) -> StoreResult<Vec<StoredEvent>>;
    /// Writes the seals of events without one, by id, and the last of them as the newest seal.
    /// `before` is the seal that precedes the first. It is a conflict if one of the events has a
    /// seal.
    fn insert_seals(&mut self, before: &Seal, seals: &[(Vec<u8>, Seal)]) -> StoreResult<()>;
    /// Lists at most `limit` sealed events from this number on, in the order of their numbers.
    fn list_sealed(&mut self, from: i64, limit: u32) -> StoreResult<Vec<SealedEvent>>;
}
