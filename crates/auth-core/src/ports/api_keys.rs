//! Ports: keys that programs sign their requests with, and the signatures that have been seen.

use tillgate_domain::{ApiKey, Instant, StoreResult, TenantId, UserId};

/// A key with its secret, as the store keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrappedApiKey {
    /// The key.
    pub key: ApiKey,
    /// Its secret, wrapped by the master key.
    pub wrapped_secret: Vec<u8>,
}

/// Keys of programs.
pub trait ApiKeys {
    /// The key that programs call by this client id, whether it counts or not.
    fn find_by_client_id(&mut self, client: &str) -> StoreResult<Option<WrappedApiKey>>;
    /// The active keys of a user, in the order of their ids.
    fn list_active_by_user(&mut self, tenant: TenantId, user: UserId) -> StoreResult<Vec<ApiKey>>;
    /// Revokes a key where it still has this version; false where it was changed or removed meanwhile.
    fn revoke(&mut self, key: &ApiKey) -> StoreResult<bool>;
}

/// What a signature is remembered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SignatureDigest(pub [u8; 32]);

/// Signatures that have verified.
pub trait Signatures {
    /// Remembers a signature. False where it is remembered already: of two that meet, one is the first.
    fn insert_if_new(&mut self, signature: &SignatureDigest, at: Instant) -> StoreResult<bool>;

    /// Forgets signatures that were seen before this instant, `limit` at most, and says how many.
    fn sweep(&mut self, before: Instant, limit: u32) -> StoreResult<u32>;
}
