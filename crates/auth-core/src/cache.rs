//! What is remembered of tokens that have verified and of the principals that they name, in bounded memory.
//!
//! A token is remembered under the SHA-256 of the whole of it, so that its signature is checked once. Expiry, audience and changes
//! are asked at each request all the same: nothing here says that a token is good.

mod api_keys;
mod sessions;

use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use tillgate_domain::{DeviceId, Instant, KeyId, PrincipalId, SessionId};

use crate::Profile;
use crate::ports::FirstUse;
use crate::revocations::Version;
use crate::token::access::Claims;

pub(crate) use api_keys::{ApiKeyCache, OpenedApiKey};
pub(crate) use sessions::SessionCache;

/// How much a process remembers besides the store, in bytes at most, each by itself. What does not fit is read, or checked, once
/// more; nothing that has ended lives again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheLimits {
    /// Access tokens that have verified.
    pub tokens: u64,
    /// Who they name, with their rights.
    pub profiles: u64,
    /// Sessions whose rows were read.
    pub sessions: u64,
    /// First uses of exchanged tokens.
    pub first_uses: u64,
    /// Keys of programs.
    pub api_keys: u64,
    /// What has ended or changed.
    pub revocations: u64,
    /// Rotations of late, and uses that are not written yet.
    pub activity: u64,
    /// Denied requests that are counted until they are recorded in the audit.
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

/// How full a cache is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheUsage {
    /// The cache: a field of [`CacheLimits`].
    pub name: &'static str,
    /// How many bytes it holds, estimated from above.
    pub bytes: u64,
    /// How many it may hold.
    pub limit: u64,
}

/// A cache that forgets what was not asked for the longest, once all of it weighs more than its limit.
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

/// How many bytes a cache holds.
fn size_bytes<K, V>(cache: &Cache<K, V>) -> u64
where
    K: Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    cache.run_pending_tasks();
    cache.weighted_size()
}

/// A token that has verified.
pub(crate) struct VerifiedToken {
    pub(crate) claims: Claims,
    pub(crate) key: KeyId,
    last_recorded_at: AtomicI64,
    /// When this process last read the session's row, or wrote it: one more than the moment; zero for never.
    session_read: AtomicU64,
}

/// How often a use is noted for the store, in milliseconds.
const USE_RECORD_INTERVAL_MILLIS: i64 = 60_000;

impl VerifiedToken {
    /// A token with these claims, which have verified. What of them is for those who read the token elsewhere is not kept.
    pub(crate) fn new(claims: Claims, key: KeyId) -> Self {
        let claims = Claims { scope: None, roles: None, amr: Vec::new(), ..claims };
        Self { claims, key, last_recorded_at: AtomicI64::new(i64::MIN), session_read: AtomicU64::new(0) }
    }

    /// Whether this process is known to have read the session's row at this moment or later: since then the memory of what has
    /// ended tells of its end.
    pub(crate) fn session_read_since(&self, moment: Version) -> bool {
        self.session_read.load(Ordering::Relaxed) > moment.0
    }

    /// Notes that this process has read the session's row, beginning at this moment.
    pub(crate) fn record_session_read(&self, began: Version) {
        self.session_read.fetch_max(began.0.saturating_add(1), Ordering::Relaxed);
    }

    /// Whether the store is to be told of a use at this instant: the first, and then one a minute.
    pub(crate) fn should_record_use(&self, at: Instant) -> bool {
        let noted = self.last_recorded_at.load(Ordering::Relaxed);
        let due = at.millis().saturating_sub(noted) >= USE_RECORD_INTERVAL_MILLIS || noted > at.millis();
        due && self.last_recorded_at.compare_exchange(noted, at.millis(), Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// When a use was last noted.
    pub(crate) fn last_recorded_at(&self) -> Instant {
        Instant::from_millis(self.last_recorded_at.load(Ordering::Relaxed))
    }

    fn weight(&self) -> usize {
        size_of::<Self>() + self.claims.iss.len() + self.claims.aud.len() + self.claims.client_id.len()
    }
}

/// What an entry costs the cache besides its value: key, hash table, queue nodes, allocations.
const ENTRY_OVERHEAD_BYTES: usize = 256;

type TokenDigest = [u8; 32];

/// Tokens that have verified.
pub(crate) struct TokenCache(Cache<TokenDigest, Arc<VerifiedToken>>);

impl TokenCache {
    /// None yet. They take so many bytes at most.
    pub(crate) fn with_limit(limit: u64) -> Self {
        Self(build_cache(limit, |_, verified: &Arc<VerifiedToken>| verified.weight()))
    }

    /// How many bytes they take.
    pub(crate) fn size_bytes(&self) -> u64 {
        size_bytes(&self.0)
    }

    pub(crate) fn digest(token: &str) -> TokenDigest {
        let mut digest = [0; 32];
        digest.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, token.as_bytes()).as_ref());
        digest
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

/// A profile with the moment at which its reading began.
#[derive(Clone)]
struct CachedProfile {
    profile: Arc<Profile>,
    read_version: Version,
}

/// What was read of principals on devices.
pub(crate) struct ProfileCache(Cache<(PrincipalId, Option<DeviceId>), CachedProfile>);

impl ProfileCache {
    /// None yet. They take so many bytes at most.
    pub(crate) fn with_limit(limit: u64) -> Self {
        Self(build_cache(limit, |_, read: &CachedProfile| profile_weight(&read.profile)))
    }

    /// How many bytes they take.
    pub(crate) fn size_bytes(&self) -> u64 {
        size_bytes(&self.0)
    }

    /// The profile, where it was read after `touched`.
    pub(crate) fn get(
        &self,
        principal: PrincipalId,
        device: Option<DeviceId>,
        touched: Version,
    ) -> Option<Arc<Profile>> {
        self.0.get(&(principal, device)).filter(|read| read.read_version >= touched).map(|read| read.profile)
    }

    /// Remembers a profile whose reading began then. One that was read later stays, and so does this one where it came from here:
    /// to put it in again would weigh it again at every refresh.
    pub(crate) fn insert(
        &self,
        principal: PrincipalId,
        device: Option<DeviceId>,
        profile: &Arc<Profile>,
        began: Version,
    ) {
        let key = (principal, device);
        if self.0.get(&key).is_none_or(|read| read.read_version <= began && !Arc::ptr_eq(&read.profile, profile)) {
            self.0.insert(key, CachedProfile { profile: Arc::clone(profile), read_version: began });
        }
    }
}

/// First uses of a session, with the moment at which their reading began.
#[derive(Clone)]
struct CachedFirstUses {
    uses: Arc<[FirstUse]>,
    read_version: Version,
}

/// What was read of the first uses of sessions.
pub(crate) struct FirstUseCache(Cache<SessionId, CachedFirstUses>);

impl FirstUseCache {
    /// None yet. They take so many bytes at most.
    pub(crate) fn with_limit(limit: u64) -> Self {
        Self(build_cache(limit, |_, read: &CachedFirstUses| size_of::<CachedFirstUses>() + size_of_val(&*read.uses)))
    }

    /// How many bytes they take.
    pub(crate) fn size_bytes(&self) -> u64 {
        size_bytes(&self.0)
    }

    /// The first uses, where they were read after `touched`.
    pub(crate) fn get(&self, session: SessionId, touched: Version) -> Option<Arc<[FirstUse]>> {
        self.0.get(&session).filter(|read| read.read_version >= touched).map(|read| read.uses)
    }

    /// Remembers first uses whose reading began then. Those that were read later stay.
    pub(crate) fn insert(&self, session: SessionId, uses: &Arc<[FirstUse]>, began: Version) {
        if self.0.get(&session).is_none_or(|read| read.read_version <= began) {
            self.0.insert(session, CachedFirstUses { uses: Arc::clone(uses), read_version: began });
        }
    }
}

/// An estimate from above: texts as long as they are, sets and maps by their entries.
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
