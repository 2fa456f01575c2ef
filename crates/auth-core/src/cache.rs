//! Caches of verified tokens and of the principals that they name, in bounded memory.
//!
//! A token is cached under the SHA-256 of its whole text, so that its signature is verified once.
//! Its expiry, its audience and later changes are checked at each request: an entry does not mean
//! that the token is valid.
//!
//! A change does not remove cached data; it makes the data outdated. Each cached reading has the
//! version of the change counter at which it began. It is valid while no later change affected its
//! user, device or tenant. A reading that was in progress when the change arrived is outdated by
//! the same comparison, and no cache has to be searched.

mod api_keys;
mod first_uses;
mod sessions;

use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use tillgate_domain::{DeviceId, Instant, KeyId, PrincipalId};

use crate::Profile;
use crate::digest::sha256;
use crate::revocations::Version;
use crate::token::access_token::Claims;

pub(crate) use api_keys::{ApiKeyCache, OpenedApiKey};
pub(crate) use first_uses::{FirstUseCache, FirstUses};
pub(crate) use sessions::SessionCache;

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
    /// First uses of exchanged tokens, and the versions of their changes.
    pub first_uses: u64,
    /// API keys and their decrypted secrets.
    pub api_keys: u64,
    /// Ended sessions and other changes.
    pub revocations: u64,
    /// Recent rotations, and uses that are not written yet.
    pub activity: u64,
    /// Denials that are counted and not recorded in the audit yet.
    pub denials: u64,
}

impl Default for CacheLimits {
    fn default() -> Self {
        const MIB: u64 = 1 << 20;
        Self {
            tokens: 4 * MIB,
            profiles: 8 * MIB,
            sessions: 2 * MIB,
            first_uses: 2 * MIB,
            api_keys: 2 * MIB,
            revocations: 4 * MIB,
            activity: 8 * MIB,
            denials: 4 * MIB,
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

/// A cache that drops the least recently used entries when their total weight exceeds its limit.
fn build_cache<K, V>(limit: u64, weigh: impl Fn(&K, &V) -> usize + Send + Sync + 'static) -> Cache<K, V>
where
    K: Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    Cache::builder()
        .max_capacity(limit)
        .weigher(move |key, value| {
            u32::try_from(weigh(key, value).saturating_add(ENTRY_OVERHEAD_BYTES)).unwrap_or(u32::MAX)
        })
        .eviction_policy(EvictionPolicy::lru())
        .build()
}

/// The size of a cache in bytes.
fn size_bytes<K, V>(cache: &Cache<K, V>) -> u64
where
    K: Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    cache.run_pending_tasks();
    cache.weighted_size()
}

/// A verified access token.
pub(crate) struct VerifiedToken {
    pub(crate) claims: Claims,
    pub(crate) key: KeyId,
    last_recorded_at: AtomicI64,
    /// The version at which this process last read or wrote the session's row, plus one; zero for
    /// never.
    session_read: AtomicU64,
}

/// How often the use of a token is recorded for the store, in milliseconds.
const USE_RECORD_INTERVAL_MILLIS: i64 = 60_000;

impl VerifiedToken {
    /// A token with these verified claims. The claims for other resource servers are dropped.
    pub(crate) fn new(claims: Claims, key: KeyId) -> Self {
        let claims = Claims { scope: None, roles: None, amr: Vec::new(), ..claims };
        Self { claims, key, last_recorded_at: AtomicI64::new(i64::MIN), session_read: AtomicU64::new(0) }
    }

    /// Whether this process has read the session's row at this version or later. If so, the
    /// revocation cache contains the end of the session, if there is one.
    pub(crate) fn session_read_since(&self, moment: Version) -> bool {
        self.session_read.load(Ordering::Relaxed) > moment.0
    }

    /// Records that this process has read the session's row, starting at this version.
    pub(crate) fn record_session_read(&self, read_version: Version) {
        self.session_read.fetch_max(read_version.0.saturating_add(1), Ordering::Relaxed);
    }

    /// Whether to record a use at this instant: the first one, and then one per minute.
    pub(crate) fn should_record_use(&self, at: Instant) -> bool {
        let noted = self.last_recorded_at.load(Ordering::Relaxed);
        let due = at.millis().saturating_sub(noted) >= USE_RECORD_INTERVAL_MILLIS || noted > at.millis();
        due && self.last_recorded_at.compare_exchange(noted, at.millis(), Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// The instant of the last recorded use.
    pub(crate) fn last_recorded_at(&self) -> Instant {
        Instant::from_millis(self.last_recorded_at.load(Ordering::Relaxed))
    }

    fn weight(&self) -> usize {
        size_of::<Self>() + self.claims.iss.len() + self.claims.aud.len() + self.claims.client_id.len()
    }
}

/// The memory of an entry besides its value: key, hash table, queue nodes, allocations.
const ENTRY_OVERHEAD_BYTES: usize = 256;

type TokenDigest = [u8; 32];

/// Verified access tokens by digest.
pub(crate) struct TokenCache(Cache<TokenDigest, Arc<VerifiedToken>>);

impl TokenCache {
    /// An empty cache of at most `limit` bytes.
    pub(crate) fn with_limit(limit: u64) -> Self {
        Self(build_cache(limit, |_, verified: &Arc<VerifiedToken>| verified.weight()))
    }

    /// The size in bytes.
    pub(crate) fn size_bytes(&self) -> u64 {
        size_bytes(&self.0)
    }

    pub(crate) fn digest(token: &str) -> TokenDigest {
        sha256(token.as_bytes())
    }

    pub(crate) fn get(&self, digest: &TokenDigest) -> Option<Arc<VerifiedToken>> {
        self.0.get(digest)
    }

    pub(crate) fn insert(&self, digest: TokenDigest, verified: &Arc<VerifiedToken>) {
        self.0.insert(digest, Arc::clone(verified));
    }

    pub(crate) fn remove(&self, digest: &TokenDigest) {
        self.0.invalidate(digest);
    }
}

/// A profile with the version at which its reading began.
#[derive(Clone)]
struct CachedProfile {
    profile: Arc<Profile>,
    read_version: Version,
}

/// Profiles of principals on devices.
pub(crate) struct ProfileCache(Cache<(PrincipalId, Option<DeviceId>), CachedProfile>);

impl ProfileCache {
    /// An empty cache of at most `limit` bytes.
    pub(crate) fn with_limit(limit: u64) -> Self {
        Self(build_cache(limit, |_, read: &CachedProfile| profile_weight(&read.profile)))
    }

    /// The size in bytes.
    pub(crate) fn size_bytes(&self) -> u64 {
        size_bytes(&self.0)
    }

    /// The profile, if its reading began at or after the version of its newest invalidation.
    pub(crate) fn get(
        &self,
        principal: PrincipalId,
        device: Option<DeviceId>,
        invalidated_at: Version,
    ) -> Option<Arc<Profile>> {
        self.0.get(&(principal, device)).filter(|read| read.read_version >= invalidated_at).map(|read| read.profile)
    }

    /// Stores a profile whose reading began at this version. Keeps an entry that was read later,
    /// and this very entry: to store it again would weigh it again at every refresh.
    pub(crate) fn insert(
        &self,
        principal: PrincipalId,
        device: Option<DeviceId>,
        profile: &Arc<Profile>,
        read_version: Version,
    ) {
        let key = (principal, device);
        if self.0.get(&key).is_none_or(|read| read.read_version <= read_version && !Arc::ptr_eq(&read.profile, profile))
        {
            self.0.insert(key, CachedProfile { profile: Arc::clone(profile), read_version });
        }
    }
}

/// An upper estimate: texts by their length, sets and maps by their entries.
fn profile_weight(profile: &Profile) -> usize {
    let rights = profile.rights.heap_bytes();
    let roles: usize = profile.roles.iter().map(|role| role.len() + 24).sum();
    let user = profile.user.as_ref().map_or(0, |user| {
        let assigned: usize = user.assignment.devices.values().map(|roles| 64 + 24 * roles.len()).sum();
        512 + user.display_name.len() + assigned
    });
    let device = profile.device.as_ref().map_or(0, |device| {
        let settings: usize = device.settings.iter().map(|(key, value)| key.len() + value.len() + 64).sum();
        let preferences = serde_json::to_string(&device.preferences).map_or(0, |text| text.len() * 4);
        512 + device.description.len() + settings + preferences
    });
    let branches: usize = profile.tenant.branches.iter().map(|branch| branch.name.len() + 48).sum();
    size_of::<Profile>() + rights + roles + user + device + branches
}
