//! Resets of forgotten passwords, as the store keeps them: who has asked for one, and the tokens that were mailed, as digests.

use std::net::IpAddr;

use crate::{Email, Instant, ResetId, StoreResult, TenantId, UserId};

/// The SHA-256 of a reset token.
pub type ResetDigest = [u8; 32];

/// Somebody has asked to reset the password of an address. Nobody has looked yet whether anybody has it, so that asking costs the
/// same whether or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResetRequest {
    /// Its id.
    pub id: ResetId,
    /// The e-mail address.
    pub email: Email,
    /// The tenant that the way in serves; a user of another is not meant.
    pub tenant: Option<TenantId>,
    /// Where it was asked from.
    pub address: Option<IpAddr>,
    /// When it was asked.
    pub requested_at: Instant,
    /// When it is to be looked at.
    pub due_at: Instant,
    /// How often it has been taken up.
    pub tries: i64,
}

/// A reset that was granted: whoever shows the token may set a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reset {
    /// The digest of its token.
    pub digest: ResetDigest,
    /// The request that it answers.
    pub request: ResetId,
    /// Whose password.
    pub user: UserId,
    /// The address that the token went to.
    pub email: Email,
    /// When it was granted.
    pub granted_at: Instant,
    /// When it is good no more.
    pub expires_at: Instant,
}

/// Resets.
pub trait Resets {
    /// Adds a request.
    fn insert_request(&mut self, request: &ResetRequest) -> StoreResult<()>;
    /// Requests that are due, the longest due first, `limit` at most.
    fn list_due(&mut self, now: Instant, limit: u32) -> StoreResult<Vec<ResetRequest>>;
    /// Claims a request: true where it is still due at `from`. It is due at `to` then, and has been taken up once more.
    fn postpone(&mut self, id: ResetId, from: Instant, to: Instant) -> StoreResult<bool>;
    /// Removes a request.
    fn remove_request(&mut self, id: ResetId) -> StoreResult<()>;
    /// Removes these requests in one statement, and says how many there were.
    fn remove_requests(&mut self, ids: &[ResetId]) -> StoreResult<u32>;
    /// Adds a reset.
    fn insert_reset(&mut self, reset: &Reset) -> StoreResult<()>;
    /// The reset with this digest.
    fn find(&mut self, digest: &ResetDigest) -> StoreResult<Option<Reset>>;
    /// When the newest reset of this user was granted that answers another request than this.
    fn find_newest_grant(&mut self, user: UserId, but: ResetId) -> StoreResult<Option<Instant>>;
    /// Takes a reset away: true for one caller alone.
    fn consume(&mut self, digest: &ResetDigest) -> StoreResult<bool>;
    /// Takes every reset of a user away.
    fn revoke_by_user(&mut self, user: UserId) -> StoreResult<()>;
    /// Removes resets that expired before this instant, `limit` at most, and says how many.
    fn sweep(&mut self, before: Instant, limit: u32) -> StoreResult<u32>;
}
