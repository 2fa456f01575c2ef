//! The cache of API keys, in bounded memory, so that a signature is verified without the store.
//!
//! Each key is cached with the version at which its reading began. A change of a key invalidates
//! its user, so an older reading is outdated by the same comparison as a profile.

use std::sync::Arc;

use moka::sync::Cache;
use tillgate_domain::{ApiKey, Secret};

use super::{build_cache, size_bytes};
use crate::revocations::Version;

/// An API key with its decrypted secret.
pub(crate) struct OpenedApiKey {
    pub(crate) key: ApiKey,
    pub(crate) secret: Secret<String>,
}

#[derive(Clone)]
struct CachedApiKey {
    opened: Arc<OpenedApiKey>,
    read_version: Version,
}

/// API keys by client id.
pub(crate) struct ApiKeyCache(Cache<String, CachedApiKey>);

impl ApiKeyCache {
    /// An empty cache of at most `limit` bytes.
    pub(crate) fn with_limit(limit: u64) -> Self {
        Self(build_cache(limit, |client: &String, read: &CachedApiKey| api_key_weight(client, &read.opened)))
    }

    /// The size in bytes.
    pub(crate) fn size_bytes(&self) -> u64 {
        size_bytes(&self.0)
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

/// An upper estimate.
fn api_key_weight(client: &str, opened: &OpenedApiKey) -> usize {
    let key = &opened.key;
    let rights = key.permissions.heap_bytes();
    let texts = 2 * client.len() + key.name.len() + key.description.len() + opened.secret.expose().len();
    size_of::<OpenedApiKey>() + rights + texts
}
