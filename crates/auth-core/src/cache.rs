//! Caches of verified tokens and of the principals that they name, in bounded memory.
//!
//! A change does not remove cached data; it makes the data outdated. Each cached reading has the
//! version of the change counter at which it began. It is valid while no later change affected its
//! user, device or tenant. A reading that was in progress when the change arrived is outdated by
//! the same comparison, and no cache has to be searched. The first uses of exchanged tokens have no
//! version: they take effect a grace period later, and are read again before.

mod api_keys;
mod bounded_cache;
mod exchanged_tokens;
mod profiles;
mod proofs;
mod sessions;
mod tokens;

pub(crate) use api_keys::{ApiKeyCache, OpenedApiKey};
pub(crate) use exchanged_tokens::{FirstUseCache, FirstUses};
pub(crate) use profiles::ProfileCache;
pub(crate) use proofs::ProofCache;
pub(crate) use sessions::SessionCache;
pub(crate) use tokens::{TokenCache, VerifiedToken};

/// The size limits of the caches of a process, in bytes each. Data that does not fit is read or
/// verified again; a limit never revives a session that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheLimits {
    /// Verified access tokens.
    pub tokens: u64,
    /// Profiles: the names, settings and rights of principals.
    pub profiles: u64,
    /// Sessions whose rows were read.
    pub sessions: u64,
    /// First uses of exchanged tokens.
    pub first_uses: u64,
    /// API keys and their decrypted secrets.
    pub api_keys: u64,
    /// Ended sessions and other changes.
    pub revocations: u64,
    /// Recent rotations, and uses that are not written yet.
    pub activity: u64,
    /// Denials that are counted and not recorded in the audit yet.
    pub denials: u64,
    /// Proofs of clients' keys that were accepted for requests that change nothing.
    pub proofs: u64,
}

impl Default for CacheLimits {
    fn default() -> Self {
        const MIB: u64 = 1 << 20;
        Self {
            tokens: 3 * MIB,
            profiles: 6 * MIB,
            sessions: MIB,
            first_uses: 2 * MIB,
            api_keys: 2 * MIB,
            revocations: 4 * MIB,
            activity: 8 * MIB,
            denials: 4 * MIB,
            proofs: 4 * MIB,
        }
    }
}

/// The size of a cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheUsage {
    /// The name of the cache, which is a field of [`CacheLimits`].
    pub name: &'static str,
    /// Its size in bytes, estimated from above.
    pub bytes: u64,
    /// Its limit in bytes.
    pub limit: u64,
}

/// The memory of an allocation of this many bytes, with what the allocator adds, estimated from
/// above.
const fn allocation_bytes(bytes: usize) -> usize {
    if bytes == 0 { 0 } else { bytes.saturating_add(24) }
}
