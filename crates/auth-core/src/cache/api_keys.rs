//! The cache of API keys, in bounded memory, so that a signature is verified without the store.
//!
//! Each key is cached with the version at which its reading began. A change of a key invalidates
//! its user, so an older reading is outdated by the same comparison as a profile.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tillgate_domain::{ApiKey, Instant, Secret};

use super::allocation_bytes;
use super::bounded_cache::BoundedCache;
use crate::revocations::Version;

/// An API key with its decrypted secrets.
pub(crate) struct OpenedApiKey {
    pub(crate) key: ApiKey,
    pub(crate) secret: Secret<String>,
    /// The secret before the last rotation.
    previous_secret: Option<Secret<String>>,
    /// The minute of the last use that this process has recorded, or the stored one.
    last_recorded_at: AtomicI64,
}

/// The minute in milliseconds, the resolution of the recorded uses.
const MINUTE_MILLIS: i64 = 60_000;

impl OpenedApiKey {
    /// A key with its secret, and the one before.
    pub(crate) fn new(key: ApiKey, secret: Secret<String>, previous_secret: Option<Secret<String>>) -> Self {
        let last_recorded_at = AtomicI64::new(key.last_used_at.map_or(i64::MIN, Instant::millis));
        Self { key, secret, previous_secret, last_recorded_at }
    }

    /// The previous secret with the end of its overlap, if the key has been rotated with one.
    pub(crate) fn previous(&self) -> Option<(&Secret<String>, Instant)> {
        self.previous_secret.as_ref().zip(self.key.previous_secret_until)
    }

    /// The minute of a use at this instant, if it is to be recorded: the first use of a minute.
    pub(crate) fn claim_minute_to_record(&self, at: Instant) -> Option<Instant> {
        let minute = at.millis().div_euclid(MINUTE_MILLIS).saturating_mul(MINUTE_MILLIS);
        let recorded = self.last_recorded_at.load(Ordering::Relaxed);
        let first = minute != recorded
            && self.last_recorded_at.compare_exchange(recorded, minute, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        first.then(|| Instant::from_millis(minute))
    }
}

#[derive(Clone)]
struct CachedApiKey {
    opened: Arc<OpenedApiKey>,
    read_version: Version,
}

/// API keys by client id.
pub(crate) struct ApiKeyCache(BoundedCache<String, CachedApiKey>);

impl ApiKeyCache {
    /// An empty cache of at most `limit` bytes.
    pub(crate) fn with_limit(limit: u64) -> Self {
        Self(BoundedCache::new(limit, |client: &String, read: &CachedApiKey| api_key_bytes(client, &read.opened)))
    }

    /// The size in bytes.
    pub(crate) fn size_bytes(&self) -> u64 {
        self.0.size_bytes()
    }

    /// The key, and the version at which its reading began.
    pub(crate) fn get(&self, client: &str) -> Option<(Arc<OpenedApiKey>, Version)> {
        self.0.get(client).map(|read| (read.opened, read.read_version))
    }

    /// Stores a key whose reading began at this version. Keeps one that was read later.
    pub(crate) fn insert(&self, opened: &Arc<OpenedApiKey>, read_version: Version) {
        let client = &opened.key.client_id;
        if self.0.get(client).is_none_or(|read| read.read_version <= read_version) {
            self.0.insert(client.clone(), CachedApiKey { opened: Arc::clone(opened), read_version });
        }
    }
}

/// The memory of a key, and of the copies of its client id, estimated from above.
fn api_key_bytes(client: &str, opened: &OpenedApiKey) -> usize {
    let key = &opened.key;
    let previous = opened.previous_secret.as_ref().map_or("", |secret| secret.expose().as_str());
    let texts = [client, client, &key.client_id, &key.name, &key.description, opened.secret.expose(), previous];
    let texts: usize = texts.into_iter().map(|text| allocation_bytes(text.len())).sum();
    allocation_bytes(size_of::<OpenedApiKey>() + 2 * size_of::<usize>()) + key.permissions.heap_bytes() + texts
}
