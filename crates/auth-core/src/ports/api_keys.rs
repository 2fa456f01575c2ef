//! The ports for API keys and for the signatures that were accepted.

use tillgate_domain::{ApiKey, ApiKeyId, Instant, StoreResult, TenantId, UserId};

/// An API key with its secret, as the store keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrappedApiKey {
    /// The API key without its secret.
    pub key: ApiKey,
    /// The secret, encrypted by the master key.
    pub wrapped_secret: Vec<u8>,
    /// The secret before the last rotation, encrypted likewise; it is accepted until the end of the
    /// overlap that the key has.
    pub previous_wrapped_secret: Option<Vec<u8>>,
}

/// Reads and revokes API keys, and records their use.
pub trait ApiKeys {
    /// Finds the key with this client id, whatever its status.
    fn find_by_client_id(&mut self, client: &str) -> StoreResult<Option<WrappedApiKey>>;
    /// The active keys of a user, in the order of their ids.
    fn list_active_by_user(&mut self, tenant: TenantId, user: UserId) -> StoreResult<Vec<ApiKey>>;
    /// Revokes a key if its stored version equals that of `key`; otherwise returns false.
    fn revoke(&mut self, key: &ApiKey) -> StoreResult<bool>;
    /// Records uses of keys, without a change of their versions. A later use that is stored already
    /// stays, and a key that does not exist any more is skipped.
    fn record_uses(&mut self, uses: &[(ApiKeyId, Instant)]) -> StoreResult<()>;
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
