//! What is remembered of tokens that have verified and of the principals that they name, in bounded memory.
//!
//! A token is remembered under the SHA-256 of the whole of it, so that its signature is checked once. Expiry, audience and changes
//! are asked at each request all the same: nothing here says that a token is good.

mod api_keys;
mod sessions;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use tillgate_domain::{DeviceId, Instant, KeyId, PrincipalId, SessionId};

use crate::Profile;
use crate::changes::Moment;
use crate::ports::FirstUse;
use crate::token::access::Claims;

pub(crate) use api_keys::{ApiKeys, OpenedApiKey};
pub(crate) use sessions::Sessions;

/// How much verified tokens may take, in bytes.
const TOKENS: u64 = 16 << 20;

/// How much profiles may take, in bytes.
const PROFILES: u64 = 16 << 20;

/// How much first uses may take, in bytes.
const FIRST_USES: u64 = 4 << 20;

/// A token that has verified.
pub(crate) struct Verified {
    pub(crate) claims: Claims,
    pub(crate) key: KeyId,
    noted_at: AtomicI64,
    /// Whether this process has read the session's row, or written it.
    session_read: AtomicBool,
}

/// How often a use is noted for the store, in milliseconds.
const NOTE_EVERY: i64 = 60_000;

impl Verified {
    pub(crate) fn new(claims: Claims, key: KeyId) -> Self {
        Self { claims, key, noted_at: AtomicI64::new(i64::MIN), session_read: AtomicBool::new(false) }
    }

    /// Whether this process is known to have read the session's row: since then the feed tells of its end.
    pub(crate) fn session_read(&self) -> bool {
        self.session_read.load(Ordering::Relaxed)
    }

    /// Notes that this process has read the session's row.
    pub(crate) fn note_session_read(&self) {
        self.session_read.store(true, Ordering::Relaxed);
    }

    /// Whether the store is to be told of a use at this instant: the first, and then one a minute.
    pub(crate) fn notable(&self, at: Instant) -> bool {
        let noted = self.noted_at.load(Ordering::Relaxed);
        let due = at.millis().saturating_sub(noted) >= NOTE_EVERY || noted > at.millis();
        due && self.noted_at.compare_exchange(noted, at.millis(), Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// When a use was last noted.
    pub(crate) fn noted_at(&self) -> Instant {
        Instant::from_millis(self.noted_at.load(Ordering::Relaxed))
    }

    fn weight(&self) -> u32 {
        let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let roles: usize = self.claims.roles.iter().flatten().map(|role| role.len() + 24).sum();
        let strings =
            self.claims.iss.len() + self.claims.aud.len() + self.claims.client_id.len() + text(&self.claims.scope);
        u32::try_from(size_of::<Self>() + strings + roles + OVERHEAD).unwrap_or(u32::MAX)
    }
}

/// What an entry costs the cache besides its value: key, hash table, queue nodes, allocations.
const OVERHEAD: usize = 256;

type Digest = [u8; 32];

/// Tokens that have verified.
pub(crate) struct Tokens(Cache<Digest, Arc<Verified>>);

impl Default for Tokens {
    fn default() -> Self {
        Self(
            Cache::builder()
                .max_capacity(TOKENS)
                .weigher(|_, verified: &Arc<Verified>| verified.weight())
                .eviction_policy(EvictionPolicy::lru())
                .build(),
        )
    }
}

impl Tokens {
    pub(crate) fn digest(token: &str) -> Digest {
        let mut digest = [0; 32];
        digest.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, token.as_bytes()).as_ref());
        digest
    }

    pub(crate) fn find(&self, digest: &Digest) -> Option<Arc<Verified>> {
        self.0.get(digest)
    }

    pub(crate) fn keep(&self, digest: Digest, verified: &Arc<Verified>) {
        self.0.insert(digest, Arc::clone(verified));
    }

    pub(crate) fn drop(&self, digest: &Digest) {
        self.0.invalidate(digest);
    }
}

/// A profile with the moment at which its reading began.
#[derive(Clone)]
struct Read {
    profile: Arc<Profile>,
    began: Moment,
}

/// What was read of principals on devices.
pub(crate) struct Profiles(Cache<(PrincipalId, Option<DeviceId>), Read>);

impl Default for Profiles {
    fn default() -> Self {
        Self(
            Cache::builder()
                .max_capacity(PROFILES)
                .weigher(|_, read: &Read| weight(&read.profile))
                .eviction_policy(EvictionPolicy::lru())
                .build(),
        )
    }
}

impl Profiles {
    /// The profile, where it was read after `touched`.
    pub(crate) fn find(
        &self,
        principal: PrincipalId,
        device: Option<DeviceId>,
        touched: Moment,
    ) -> Option<Arc<Profile>> {
        self.0.get(&(principal, device)).filter(|read| read.began >= touched).map(|read| read.profile)
    }

    /// Remembers a profile whose reading began then. One that was read later stays, and so does this one where it came from here:
    /// to put it in again would weigh it again at every refresh.
    pub(crate) fn keep(&self, principal: PrincipalId, device: Option<DeviceId>, profile: &Arc<Profile>, began: Moment) {
        let key = (principal, device);
        if self.0.get(&key).is_none_or(|read| read.began <= began && !Arc::ptr_eq(&read.profile, profile)) {
            self.0.insert(key, Read { profile: Arc::clone(profile), began });
        }
    }
}

/// First uses of a session, with the moment at which their reading began.
#[derive(Clone)]
struct ReadUses {
    uses: Arc<[FirstUse]>,
    began: Moment,
}

/// What was read of the first uses of sessions.
pub(crate) struct FirstUses(Cache<SessionId, ReadUses>);

impl Default for FirstUses {
    fn default() -> Self {
        let weight = |read: &ReadUses| size_of::<ReadUses>() + size_of_val(&*read.uses) + OVERHEAD;
        Self(
            Cache::builder()
                .max_capacity(FIRST_USES)
                .weigher(move |_, read: &ReadUses| u32::try_from(weight(read)).unwrap_or(u32::MAX))
                .eviction_policy(EvictionPolicy::lru())
                .build(),
        )
    }
}

impl FirstUses {
    /// The first uses, where they were read after `touched`.
    pub(crate) fn find(&self, session: SessionId, touched: Moment) -> Option<Arc<[FirstUse]>> {
        self.0.get(&session).filter(|read| read.began >= touched).map(|read| read.uses)
    }

    /// Remembers first uses whose reading began then. Those that were read later stay.
    pub(crate) fn keep(&self, session: SessionId, uses: &Arc<[FirstUse]>, began: Moment) {
        if self.0.get(&session).is_none_or(|read| read.began <= began) {
            self.0.insert(session, ReadUses { uses: Arc::clone(uses), began });
        }
    }
}

/// An estimate from above: texts as long as they are, sets and maps by their entries.
fn weight(profile: &Profile) -> u32 {
    let rights: usize = profile.rights.iter().map(|right| right.as_str().len() + 48).sum();
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
    u32::try_from(size_of::<Profile>() + rights + roles + user + device + branches + OVERHEAD).unwrap_or(u32::MAX)
}
