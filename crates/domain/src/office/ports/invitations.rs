//! The port for invitations, by whose token a user chooses a password.

use std::collections::BTreeSet;

use crate::{Email, Instant, RoleId, StoreResult, UserId};

/// The SHA-256 of the token of an invitation.
pub type InvitationDigest = [u8; 32];

/// An invitation of a user to choose a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// The digest of its token.
    pub digest: InvitationDigest,
    /// The invited user.
    pub user: UserId,
    /// The address to which the token is mailed; `None` if it was shown instead.
    pub email: Option<Email>,
    /// The instant of its creation.
    pub created_at: Instant,
    /// The instant at which it expires.
    pub expires_at: Instant,
}

/// Stores invitations, at most one per user. Setting the password of a user, by whatever port,
/// removes the user's invitation.
pub trait Invitations {
    /// Adds an invitation, and removes the previous one of the user.
    fn insert_or_replace(&mut self, invitation: &Invitation) -> StoreResult<()>;
    /// The invitation with this digest.
    fn find(&mut self, digest: &InvitationDigest) -> StoreResult<Option<Invitation>>;
    /// The invitations of these users, in the order of their ids.
    fn list_by_users(&mut self, users: &BTreeSet<UserId>) -> StoreResult<Vec<Invitation>>;
    /// The invitation of this user.
    fn find_by_user(&mut self, user: UserId) -> StoreResult<Option<Invitation>>;
    /// Gives the invitation of the user another digest. Returns true if the user still has the
    /// invitation that was created at this instant.
    fn replace_digest(&mut self, user: UserId, created_at: Instant, digest: &InvitationDigest) -> StoreResult<bool>;
    /// Removes an invitation. Returns true for one caller only.
    fn consume(&mut self, digest: &InvitationDigest) -> StoreResult<bool>;
    /// Removes the invitation of a user, if there is one.
    fn revoke_by_user(&mut self, user: UserId) -> StoreResult<()>;
    /// Removes the invitations of the users who have this role, with or without a device.
    fn revoke_by_role(&mut self, role: RoleId) -> StoreResult<()>;
    /// Removes at most `limit` invitations that expired before this instant. Returns their number.
    fn sweep(&mut self, before: Instant, limit: u32) -> StoreResult<u32>;
}
