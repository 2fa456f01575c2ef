//! Ports: wrong passwords, and the networks where somebody has logged in before.

use tillgate_domain::{Instant, Stored};
use uuid::Uuid;

/// What wrong passwords are counted under: a digest of what it stands for, so that a name nobody has shows nothing in the store.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CountKey(pub [u8; 32]);

impl std::fmt::Debug for CountKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CountKey(..)")
    }
}

/// A token bucket: each wrong password takes a token, and tokens come back one by one. How many it holds and how fast they come
/// back is not stored with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bucket {
    /// When it is full again if nothing more is taken.
    pub full_at: Instant,
    /// Attempts that hold a token and are not yet settled.
    pub open: i64,
    /// When the last of them was admitted.
    pub opened_at: Option<Instant>,
    /// Nothing is admitted by it before this instant.
    pub barred_until: Option<Instant>,
}

/// What becomes of the token of an attempt that is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// It stays taken: the password was a wrong one.
    Spent,
    /// It goes back, and the bucket is full so much earlier.
    Returned(std::time::Duration),
}

/// Wrong passwords.
pub trait Attempts {
    /// The buckets of these keys, in their order; full ones where nothing is stored.
    fn buckets(&mut self, keys: &[CountKey]) -> Stored<Vec<Bucket>>;

    /// Stores the bucket as an attempt leaves it that takes a token at this instant: true where `full_at` and `open` still are as
    /// in `from`. `barred_until` stays as it is. `principal` groups the keys of one principal for [`forgive`](Self::forgive).
    fn charge(
        &mut self,
        key: CountKey,
        principal: Option<Uuid>,
        from: &Bucket,
        to: &Bucket,
        at: Instant,
    ) -> Stored<bool>;

    /// Settles one open attempt. There are never fewer than none; a bucket that is not stored stays so.
    fn settle(&mut self, key: CountKey, how: Settled, at: Instant) -> Stored<()>;

    /// Admits nothing by a stored bucket before this instant.
    fn bar(&mut self, key: CountKey, until: Instant) -> Stored<()>;

    /// Remembers a wrong password, by its digest, for a bucket: true where it was not remembered after `since`. One that was keeps
    /// its instant.
    fn remember(&mut self, key: CountKey, guess: &CountKey, since: Instant, at: Instant) -> Stored<bool>;

    /// How many wrong passwords are remembered for a bucket after `since`.
    fn remembered(&mut self, key: CountKey, since: Instant) -> Stored<u32>;

    /// Forgets every bucket of the principal and the wrong passwords remembered for them, and says how many buckets there were.
    fn forgive(&mut self, principal: Uuid) -> Stored<u32>;

    /// Fills a bucket that is nobody's own, such as that of a network: true where it was stored. What is remembered stays.
    fn refill(&mut self, key: CountKey) -> Stored<bool>;

    /// Removes buckets that nothing has touched since this instant, `limit` at most, and says how many.
    fn sweep(&mut self, before: Instant, limit: u32) -> Stored<u32>;

    /// Removes wrong passwords that were remembered before this instant, `limit` at most, and says how many.
    fn sweep_remembered(&mut self, before: Instant, limit: u32) -> Stored<u32>;
}

/// Where a principal has logged in before. A place is a network, as a digest.
pub trait Places {
    /// When the principal last succeeded there, to the day.
    fn find(&mut self, principal: Uuid, place: &CountKey) -> Stored<Option<Instant>>;

    /// Notes a success there.
    fn note(&mut self, principal: Uuid, place: &CountKey, at: Instant) -> Stored<()>;

    /// Forgets the principal's places but the `keep` of the latest successes.
    fn trim(&mut self, principal: Uuid, keep: u32) -> Stored<()>;

    /// Removes places of which the last success was before this instant, `limit` at most, and says how many.
    fn sweep(&mut self, before: Instant, limit: u32) -> Stored<u32>;
}
