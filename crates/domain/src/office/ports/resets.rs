//! The port for password resets: requests, and the digests of the tokens that were mailed.

use std::net::IpAddr;

use crate::{Email, Instant, ResetId, StoreResult, TenantId, UserId};

/// The SHA-256 of a reset token.
pub type ResetDigest = [u8; 32];

/// A request to reset the password of an address. It is stored without a lookup of the address, so
/// that it costs the same whether or not a user has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResetRequest {
    /// The identifier of the request.
    pub id: ResetId,
    /// The e-mail address of the request.
    pub email: Email,
    /// The tenant that the mount serves; users of others are not found.
    pub tenant: Option<TenantId>,
    /// The network address of the request.
    pub address: Option<IpAddr>,
    /// The instant of the request.
    pub requested_at: Instant,
    /// The instant at which it is due.
    pub due_at: Instant,
    /// How many attempts to send its mail have failed.
    pub tries: i64,
}

/// A granted reset, with whose token a password can be set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reset {
    /// The digest of its token.
    pub digest: ResetDigest,
    /// The request that it answers.
    pub request: ResetId,
    /// The user whose password it resets.
    pub user: UserId,
    /// The address to which the token was mailed.
    pub email: Email,
    /// The instant of the grant.
    pub granted_at: Instant,
    /// The instant at which the token expires.
    pub expires_at: Instant,
}

/// Stores password resets. Setting the password of a user, by whatever port, removes the user's
/// resets.
pub trait Resets {
    /// Adds a request.
    fn insert_request(&mut self, request: &ResetRequest) -> StoreResult<()>;
    /// Lists at most `limit` requests that are due, the longest due first.
    fn list_due(&mut self, now: Instant, limit: u32) -> StoreResult<Vec<ResetRequest>>;
    /// Claims a request. Returns true if it is still due at `from`; then it is due at `to`.
    fn claim(&mut self, id: ResetId, from: Instant, to: Instant) -> StoreResult<bool>;
    /// Records that an attempt to send the mail has failed. Returns true if the request is still
    /// due at `from`; then it is due at `to`, and its tries increase by one.
    fn postpone(&mut self, id: ResetId, from: Instant, to: Instant) -> StoreResult<bool>;
    /// Removes a request.
    fn remove_request(&mut self, id: ResetId) -> StoreResult<()>;
    /// Removes these requests in one statement. Returns their number.
    fn remove_requests(&mut self, ids: &[ResetId]) -> StoreResult<u32>;
    /// Adds a granted reset.
    fn insert_reset(&mut self, reset: &Reset) -> StoreResult<()>;
    /// The reset with this digest.
    fn find(&mut self, digest: &ResetDigest) -> StoreResult<Option<Reset>>;
    /// The instant of the user's newest reset that answers another request than `but`.
    fn find_newest_grant(&mut self, user: UserId, but: ResetId) -> StoreResult<Option<Instant>>;
    /// Removes a reset. Returns true for one caller only.
    fn consume(&mut self, digest: &ResetDigest) -> StoreResult<bool>;
    /// Removes all resets of a user.
    fn revoke_by_user(&mut self, user: UserId) -> StoreResult<()>;
    /// Removes at most `limit` resets that expired before this instant. Returns their number.
    fn sweep(&mut self, before: Instant, limit: u32) -> StoreResult<u32>;
}
