//! Resets of forgotten passwords, as the store keeps them: who has asked for one, and the tokens that were mailed, as digests.

use std::net::IpAddr;

use crate::{Email, Instant, ResetId, Stored, TenantId, UserId};

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
    pub asked_at: Instant,
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
    fn ask(&mut self, request: &ResetRequest) -> Stored<()>;
    /// Requests that are due, the longest due first, `limit` at most.
    fn due(&mut self, now: Instant, limit: u32) -> Stored<Vec<ResetRequest>>;
    /// Claims a request: true where it is still due at `from`. It is due at `to` then, and has been taken up once more.
    fn postpone(&mut self, id: ResetId, from: Instant, to: Instant) -> Stored<bool>;
    /// Removes a request.
    fn settle(&mut self, id: ResetId) -> Stored<()>;
    /// Removes these requests in one statement, and says how many there were.
    fn settle_all(&mut self, ids: &[ResetId]) -> Stored<u32>;
    /// Adds a reset.
    fn grant(&mut self, reset: &Reset) -> Stored<()>;
    /// The reset with this digest.
    fn find(&mut self, digest: &ResetDigest) -> Stored<Option<Reset>>;
    /// When the newest reset of this user was granted that answers another request than this.
    fn newest(&mut self, user: UserId, but: ResetId) -> Stored<Option<Instant>>;
    /// Takes a reset away: true for one caller alone.
    fn spend(&mut self, digest: &ResetDigest) -> Stored<bool>;
    /// Takes every reset of a user away.
    fn void(&mut self, user: UserId) -> Stored<()>;
    /// Removes resets that expired before this instant, `limit` at most, and says how many.
    fn sweep(&mut self, before: Instant, limit: u32) -> Stored<u32>;
}
