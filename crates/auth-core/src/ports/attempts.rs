//! The ports for failed logins and for the networks in which principals have logged in.

use tillgate_domain::{BranchId, Instant, StoreResult, TenantId};
use uuid::Uuid;

/// The key of a bucket or a wrong password: a digest, so that the database reveals neither unknown
/// names nor passwords.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CountKey(pub [u8; 32]);

impl std::fmt::Debug for CountKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CountKey(..)")
    }
}

/// A token bucket: each wrong password takes a token, and tokens refill one by one. Its capacity
/// and refill rate are settings, which are not stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bucket {
    /// The instant at which it is full if no more tokens are taken.
    pub full_at: Instant,
    /// The number of attempts that have taken a token and are not settled.
    pub open_attempts: i64,
    /// The instant at which the newest of them took its token.
    pub opened_at: Option<Instant>,
    /// The bucket admits nothing before this instant.
    pub blocked_until: Option<Instant>,
}

/// A stored bucket of a user or device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PrincipalBucket {
    /// The id of the user or device.
    pub principal: Uuid,
    /// The key of the bucket.
    pub key: CountKey,
    /// The bucket itself.
    pub bucket: Bucket,
}

/// What happens to the token of a settled attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenDisposition {
    /// It stays taken, because the password was wrong.
    Spent,
    /// It is returned, which makes the bucket full this much earlier.
    Returned(std::time::Duration),
}

/// Reads and writes token buckets and remembered wrong passwords.
pub trait Attempts {
    /// The buckets of these keys, in the same order; a key without a stored bucket has a full one.
    fn find_buckets(&mut self, keys: &[CountKey]) -> StoreResult<Vec<Bucket>>;

    /// At most `limit` buckets that are full only after this instant, of the users and devices of a
    /// tenant, or of the devices in this store.
    fn find_depleted(
        &mut self,
        tenant: TenantId,
        branch: Option<BranchId>,
        full_after: Instant,
        limit: u32,
    ) -> StoreResult<Vec<PrincipalBucket>>;

    /// Stores the bucket `to`, from which an attempt has taken a token at `at`, if `full_at` and
    /// `open_attempts` still equal those of `from`; otherwise returns false. `blocked_until` stays.
    /// `principal` groups the buckets of one principal for
    /// [`clear_failed_logins`](Self::clear_failed_logins).
    fn take_token(
        &mut self,
        key: CountKey,
        principal: Option<Uuid>,
        from: &Bucket,
        to: &Bucket,
        at: Instant,
    ) -> StoreResult<bool>;

    /// Settles an open attempt. The number of open attempts never falls below zero; a bucket that
    /// is not stored is ignored.
    fn settle(&mut self, key: CountKey, disposition: TokenDisposition, at: Instant) -> StoreResult<()>;

    /// Blocks a stored bucket until this instant.
    fn block(&mut self, key: CountKey, until: Instant) -> StoreResult<()>;

    /// Remembers a wrong password of a bucket by its digest. Returns true if it was not remembered
    /// after `since`; otherwise the stored instant stays.
    fn record_guess(&mut self, key: CountKey, guess: &CountKey, since: Instant, at: Instant) -> StoreResult<bool>;

    /// The number of wrong passwords that are remembered for a bucket after `since`.
    fn count_guesses(&mut self, key: CountKey, since: Instant) -> StoreResult<u32>;

    /// Removes the principal's buckets and the wrong passwords that are remembered for them.
    /// Returns the number of buckets.
    fn clear_failed_logins(&mut self, principal: Uuid) -> StoreResult<u32>;

    /// Removes a bucket that belongs to no principal, such as that of a network. Returns whether it
    /// was stored. Remembered passwords stay.
    fn refill(&mut self, key: CountKey) -> StoreResult<bool>;

    /// Removes at most `limit` buckets that were not written since this instant, and are full at
    /// it. Returns their number.
    fn sweep(&mut self, before: Instant, limit: u32) -> StoreResult<u32>;

    /// Removes at most `limit` wrong passwords that were remembered before this instant. Returns
    /// their number.
    fn sweep_guesses(&mut self, before: Instant, limit: u32) -> StoreResult<u32>;
}

/// Stores the networks, as digests, in which principals have logged in.
pub trait KnownNetworks {
    /// The instant of the principal's newest login in the network. The store may round it down to
    /// the day.
    fn find(&mut self, principal: Uuid, network: &CountKey) -> StoreResult<Option<Instant>>;

    /// Records a login in the network.
    fn record_success(&mut self, principal: Uuid, network: &CountKey, at: Instant) -> StoreResult<()>;

    /// Removes the principal's networks except the `keep` ones with the newest logins.
    fn trim(&mut self, principal: Uuid, keep: u32) -> StoreResult<()>;

    /// Removes at most `limit` networks whose newest login was before this instant. Returns their
    /// number.
    fn sweep(&mut self, before: Instant, limit: u32) -> StoreResult<u32>;
}
