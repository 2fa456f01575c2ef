//! The ports for API keys and for the signatures that were accepted.

use tillgate_domain::{ApiKey, Instant, StoreResult, TenantId, UserId};

/// An API key with its secret, as the store keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrappedApiKey {
    /// The API key without its secret.
    pub key: ApiKey,
    /// The secret, encrypted by the master key.
    pub wrapped_secret: Vec<u8>,
}

/// Reads and revokes API keys.
pub trait ApiKeys {
    /// Finds the key with this client id, whatever its status.
    fn find_by_client_id(&mut self, client: &str) -> StoreResult<Option<WrappedApiKey>>;
    /// The active keys of a user, in the order of their ids.
    fn list_active_by_user(&mut self, tenant: TenantId, user: UserId) -> StoreResult<Vec<ApiKey>>;
    /// Revokes a key if its stored version equals that of `key`; otherwise returns false.
    fn revoke(&mut self, key: &ApiKey) -> StoreResult<bool>;
}

/// The digest under which an accepted signature is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SignatureDigest(pub [u8; 32]);

/// Stores the signatures that were accepted, so that each is accepted once.
pub trait Signatures {
    /// Stores a signature. Returns false if it is stored already; of two concurrent calls, one
    /// returns true.
    fn insert_if_new(&mut self, signature: &SignatureDigest, at: Instant) -> StoreResult<bool>;

    /// Removes at most `limit` signatures that were stored before this instant. Returns their
    /// number.
    fn sweep(&mut self, before: Instant, limit: u32) -> StoreResult<u32>;
}
