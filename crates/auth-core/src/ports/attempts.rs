//! Ports: wrong passwords, and the networks where somebody has logged in before.

use tillgate_domain::{Instant, StoreResult};
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
    pub open_attempts: i64,
    /// When the last of them was admitted.
    pub opened_at: Option<Instant>,
    /// Nothing is admitted by it before this instant.
    pub blocked_until: Option<Instant>,
}

/// What becomes of the token of an attempt that is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenDisposition {
    /// It stays taken: the password was a wrong one.
    Spent,
    /// It goes back, and the bucket is full so much earlier.
    Returned(std::time::Duration),
}

/// Wrong passwords.
pub trait Attempts {
    /// The buckets of these keys, in their order; full ones where nothing is stored.
    fn find_buckets(&mut self, keys: &[CountKey]) -> StoreResult<Vec<Bucket>>;

    /// Stores the bucket as an attempt leaves it that takes a token at this instant: true where `full_at` and `open` still are as
    /// in `from`. `barred_until` stays as it is. `principal` groups the keys of one principal for [`forgive`](Self::forgive).
    fn take_token(
        &mut self,
        key: CountKey,
        principal: Option<Uuid>,
        from: &Bucket,
        to: &Bucket,
        at: Instant,
    ) -> StoreResult<bool>;

    /// Settles one open attempt. There are never fewer than none; a bucket that is not stored stays so.
    fn settle(&mut self, key: CountKey, how: TokenDisposition, at: Instant) -> StoreResult<()>;

    /// Admits nothing by a stored bucket before this instant.
    fn block(&mut self, key: CountKey, until: Instant) -> StoreResult<()>;

    /// Remembers a wrong password, by its digest, for a bucket: true where it was not remembered after `since`. One that was keeps
    /// its instant.
    fn record_guess(&mut self, key: CountKey, guess: &CountKey, since: Instant, at: Instant) -> StoreResult<bool>;

    /// How many wrong passwords are remembered for a bucket after `since`.
    fn count_guesses(&mut self, key: CountKey, since: Instant) -> StoreResult<u32>;

    /// Forgets every bucket of the principal and the wrong passwords remembered for them, and says how many buckets there were.
    fn clear_failed_logins(&mut self, principal: Uuid) -> StoreResult<u32>;

    /// Fills a bucket that is nobody's own, such as that of a network: true where it was stored. What is remembered stays.
    fn refill(&mut self, key: CountKey) -> StoreResult<bool>;

    /// Removes buckets that nothing has touched since this instant, `limit` at most, and says how many.
    fn sweep(&mut self, before: Instant, limit: u32) -> StoreResult<u32>;

    /// Removes wrong passwords that were remembered before this instant, `limit` at most, and says how many.
    fn sweep_guesses(&mut self, before: Instant, limit: u32) -> StoreResult<u32>;
}

/// Where a principal has logged in before. A place is a network, as a digest.
pub trait KnownNetworks {
    /// When the principal last succeeded there, to the day.
    fn find(&mut self, principal: Uuid, place: &CountKey) -> StoreResult<Option<Instant>>;

    /// Notes a success there.
    fn record_success(&mut self, principal: Uuid, place: &CountKey, at: Instant) -> StoreResult<()>;

    /// Forgets the principal's places but the `keep` of the latest successes.
    fn trim(&mut self, principal: Uuid, keep: u32) -> StoreResult<()>;

    /// Removes places of which the last success was before this instant, `limit` at most, and says how many.
    fn sweep(&mut self, before: Instant, limit: u32) -> StoreResult<u32>;
}
