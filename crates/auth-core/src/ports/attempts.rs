//! Ports: failed logins, and where somebody has logged in before.

use tillgate_domain::{Instant, Stored};
use uuid::Uuid;

/// What failures are counted under: a digest of what it stands for, so that a name nobody has shows nothing in the store.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CountKey(pub [u8; 32]);

impl std::fmt::Debug for CountKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CountKey(..)")
    }
}

/// Failures in a row, and attempts that are under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Failures since the last success.
    pub failures: i64,
    /// When the last of them was.
    pub failed_at: Option<Instant>,
    /// Attempts that were admitted and are not yet settled.
    pub open: i64,
    /// When the last of them was admitted.
    pub opened_at: Option<Instant>,
}

/// How an admitted attempt went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// The proof was wrong: one failure more.
    Failed,
    /// The proof was right: the failures are forgotten.
    Succeeded,
    /// The proof was right, but not for what is counted here (an address): the charge is returned, the failures stay.
    Returned,
}

/// Failed logins.
pub trait Attempts {
    /// The counts of these keys, in their order; zeros where nothing is counted.
    fn counts(&mut self, keys: &[CountKey]) -> Stored<Vec<Count>>;

    /// Opens a charge on the key: true where its failures and open charges still are as in `from`. `principal` groups the keys
    /// of one principal for [`forgive`](Self::forgive).
    fn charge(&mut self, key: CountKey, principal: Option<Uuid>, from: &Count, at: Instant) -> Stored<bool>;

    /// Closes one open charge. Charges never fall below zero.
    fn settle(&mut self, key: CountKey, how: Settled, at: Instant) -> Stored<()>;

    /// Forgets every count of the principal, and says how many there were.
    fn forgive(&mut self, principal: Uuid) -> Stored<u32>;

    /// Removes counts that nothing has touched since this instant, `limit` at most, and says how many.
    fn sweep(&mut self, before: Instant, limit: u32) -> Stored<u32>;
}

/// Where a principal has logged in before. A place is a device and the network address that it calls from, as a digest.
pub trait Places {
    /// When the principal last succeeded there, to the day.
    fn find(&mut self, principal: Uuid, place: &CountKey) -> Stored<Option<Instant>>;

    /// Notes a success there.
    fn note(&mut self, principal: Uuid, place: &CountKey, at: Instant) -> Stored<()>;

    /// Removes places of which the last success was before this instant, `limit` at most, and says how many.
    fn sweep(&mut self, before: Instant, limit: u32) -> Stored<u32>;
}
