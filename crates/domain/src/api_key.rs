//! API keys: what programs sign their requests with. The secret itself is no part of a key as the domain knows it.

use crate::{ApiKeyId, DeviceId, Instant, Rights, TenantId, UserId};

/// A key of a program. A request that is signed with it runs as its user on its device, with the user's rights there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Its id.
    pub id: ApiKeyId,
    /// Whose.
    pub tenant: TenantId,
    /// What the program calls it by, in no other tenant either. It is no secret.
    pub client_id: String,
    /// What people call it by.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Whether it counts; one that was revoked does not.
    pub active: bool,
    /// Who a request runs as.
    pub user: UserId,
    /// Where it runs.
    pub device: DeviceId,
    /// What narrows the user's rights; nothing where it is empty.
    pub permissions: Rights,
    /// When it was made.
    pub created_at: Instant,
    /// Raised by every change.
    pub version: i64,
}

impl ApiKey {
    /// What is left of these rights: those that the permissions allow too.
    pub fn narrow(&self, rights: &Rights) -> Rights {
        if self.permissions.is_empty() {
            return rights.clone();
        }
        rights.intersection(&self.permissions)
    }
}
