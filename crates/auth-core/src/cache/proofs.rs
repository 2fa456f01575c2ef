//! The proofs that this process has accepted for requests that change nothing, in bounded memory.

use super::bounded_cache::BoundedCache;

/// The digests of accepted proofs. A digest that was dropped to make space can be accepted again,
/// as long as the nonce of its proof is accepted.
pub(crate) struct ProofCache(BoundedCache<[u8; 32], ()>);

impl ProofCache {
    /// An empty cache of at most `limit` bytes.
    pub(crate) fn with_limit(limit: u64) -> Self {
        Self(BoundedCache::new(limit, |_, ()| 0))
    }

    /// The size in bytes.
    pub(crate) fn size_bytes(&self) -> u64 {
        self.0.size_bytes()
    }

    /// Whether a digest is there.
    pub(crate) fn contains(&self, digest: &[u8; 32]) -> bool {
        self.0.get(digest).is_some()
    }

    /// Inserts a digest. Returns whether it was not there; of two concurrent calls, one returns
    /// true.
    pub(crate) fn insert_if_new(&self, digest: &[u8; 32]) -> bool {
        self.0.insert_if_absent(digest, ())
    }
}
