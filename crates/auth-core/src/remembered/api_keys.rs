//! What is remembered of keys that programs sign with, in bounded memory, so that a signature reads no store.
//!
//! A key is remembered with the moment at which its reading began. Whoever changes or deletes one touches its user, so that a reading
//! from before is stale by the same comparison as a profile's. It knows nothing of signatures.

use std::sync::Arc;

use moka::sync::Cache;
use tillgate_domain::{ApiKey, Secret};

use super::{cache, held};
use crate::changes::Moment;

/// A key with its secret, as it is needed to tell who signed.
pub(crate) struct OpenedApiKey {
    pub(crate) key: ApiKey,
    pub(crate) secret: Secret<String>,
}

#[derive(Clone)]
struct Read {
    opened: Arc<OpenedApiKey>,
    began: Moment,
}

/// Keys by what programs call them.
pub(crate) struct ApiKeys(Cache<String, Read>);

impl ApiKeys {
    /// None yet. They take so many bytes at most.
    pub(crate) fn within(limit: u64) -> Self {
        Self(cache(limit, |client: &String, read: &Read| weight(client, &read.opened)))
    }

    /// How many bytes they take.
    pub(crate) fn bytes(&self) -> u64 {
        held(&self.0)
    }

    /// The key, and the moment at which its reading began.
    pub(crate) fn find(&self, client: &str) -> Option<(Arc<OpenedApiKey>, Moment)> {
        self.0.get(client).map(|read| (read.opened, read.began))
    }

    /// Remembers a key whose reading began then. One that was read later stays.
    pub(crate) fn keep(&self, opened: &Arc<OpenedApiKey>, began: Moment) {
        let client = &opened.key.client;
        if self.0.get(client).is_none_or(|read| read.began <= began) {
            self.0.insert(client.clone(), Read { opened: Arc::clone(opened), began });
        }
    }
}

/// An estimate from above.
fn weight(client: &str, opened: &OpenedApiKey) -> usize {
    let key = &opened.key;
    let rights = key.permissions.heap_bytes();
    let texts = 2 * client.len() + key.name.len() + key.description.len() + opened.secret.expose().len();
    size_of::<OpenedApiKey>() + rights + texts
}
