//! What is remembered of keys that programs sign with, in bounded memory, so that a signature reads no store.
//!
//! A key is remembered with the moment at which its reading began. Whoever changes or deletes one touches its user, so that a reading
//! from before is stale by the same comparison as a profile's. It knows nothing of signatures.

use std::sync::Arc;

use moka::sync::Cache;
use tillgate_domain::{ApiKey, Secret};

use super::{build_cache, size_bytes};
use crate::revocations::Version;

/// A key with its secret, as it is needed to tell who signed.
pub(crate) struct OpenedApiKey {
    pub(crate) key: ApiKey,
    pub(crate) secret: Secret<String>,
}

#[derive(Clone)]
struct CachedApiKey {
    opened: Arc<OpenedApiKey>,
    read_version: Version,
}

/// Keys by what programs call them.
pub(crate) struct ApiKeyCache(Cache<String, CachedApiKey>);

impl ApiKeyCache {
    /// None yet. They take so many bytes at most.
    pub(crate) fn with_limit(limit: u64) -> Self {
        Self(build_cache(limit, |client: &String, read: &CachedApiKey| api_key_weight(client, &read.opened)))
    }

    /// How many bytes they take.
    pub(crate) fn size_bytes(&self) -> u64 {
        size_bytes(&self.0)
    }

    /// The key, and the moment at which its reading began.
    pub(crate) fn get(&self, client: &str) -> Option<(Arc<OpenedApiKey>, Version)> {
        self.0.get(client).map(|read| (read.opened, read.read_version))
    }

    /// Remembers a key whose reading began then. One that was read later stays.
    pub(crate) fn insert(&self, opened: &Arc<OpenedApiKey>, began: Version) {
        let client = &opened.key.client_id;
        if self.0.get(client).is_none_or(|read| read.read_version <= began) {
            self.0.insert(client.clone(), CachedApiKey { opened: Arc::clone(opened), read_version: began });
        }
    }
}

/// An estimate from above.
fn api_key_weight(client: &str, opened: &OpenedApiKey) -> usize {
    let key = &opened.key;
    let rights = key.permissions.heap_bytes();
    let texts = 2 * client.len() + key.name.len() + key.description.len() + opened.secret.expose().len();
    size_of::<OpenedApiKey>() + rights + texts
}
