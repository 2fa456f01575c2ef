//! API keys: the client id and secret of a program. The domain does not know the secret.

use crate::{ApiKeyId, DeviceId, Instant, Rights, TenantId, UserId};

/// An API key of a program. A request that is authenticated with it acts as its user on its device,
/// with that user's rights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// The identifier of the key.
    pub id: ApiKeyId,
    /// The tenant to which it belongs.
    pub tenant: TenantId,
    /// The client id, unique among all tenants. It is not secret.
    pub client_id: String,
    /// The name for people.
    pub name: String,
    /// The purpose of the key, in free text.
    pub description: String,
    /// Whether the key is active; a revoked key is not.
    pub active: bool,
    /// The user as whom requests act.
    pub user: UserId,
    /// The device on which requests act.
    pub device: DeviceId,
    /// The rights to which the user's rights are restricted; if empty, they are not.
    pub permissions: Rights,
    /// The instant at which it was created.
    pub created_at: Instant,
    /// The instant from which it is not accepted any more; `None` for never.
    pub expires_at: Option<Instant>,
    /// The minute of its last use, as far as it is stored.
    pub last_used_at: Option<Instant>,
    /// The end of the overlap after a rotation, until which the previous secret is accepted, too.
    pub previous_secret_until: Option<Instant>,
    /// Increased by every change.
    pub version: i64,
}

impl ApiKey {
    /// Whether the key is not accepted any more at this instant.
    pub fn is_expired(&self, at: Instant) -> bool {
        self.expires_at.is_some_and(|expires_at| expires_at <= at)
    }

    /// Restricts these rights to the permissions of the key.
    pub fn narrow(&self, rights: &Rights) -> Rights {
        if self.permissions.is_empty() {
            return rights.clone();
        }
        rights.intersection(&self.permissions)
    }
}
