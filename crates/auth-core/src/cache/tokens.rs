//! The cache of verified access tokens, in bounded memory.
//!
//! A token is cached under the SHA-256 of its whole text, so that its signature is verified once.
//! Its expiry, its audience and later changes are checked at each request: an entry does not mean
//! that the token is valid.

use std::collections::HashSet;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tillgate_domain::{DeviceId, Instant, KeyId, PrincipalId, SessionId, TenantId};
use uuid::Uuid;

use super::allocation_bytes;
use super::bounded_cache::BoundedCache;
use crate::digest::sha256;
use crate::revocations::Version;
use crate::token::access_token::{Claims, parse_audience};
use crate::{Epochs, SessionKind};

/// A verified access token: what this server uses of its claims.
pub(crate) struct VerifiedToken {
    /// The key of its signature.
    pub(crate) key: KeyId,
    /// The identifier of the token.
    pub(crate) id: Uuid,
    pub(crate) issuer: Arc<str>,
    pub(crate) dialect: Arc<str>,
    pub(crate) session: SessionId,
    pub(crate) kind: SessionKind,
    pub(crate) generation: i64,
    pub(crate) tenant: TenantId,
    pub(crate) principal: PrincipalId,
    pub(crate) device: Option<DeviceId>,
    /// The epochs under which the session was created.
    pub(crate) epochs: Epochs,
    pub(crate) session_created_at: Instant,
    /// The expiry of the session unless it is refreshed.
    pub(crate) session_expires_at: Option<Instant>,
    /// Whether no refresh extends that expiry.
    has_fixed_end: bool,
    pub(crate) issued_at: Instant,
    pub(crate) expires_at: Instant,
    /// How long the token stays valid after the first use of its successor; `None` for its own
    /// expiry.
    pub(crate) exchange_overlap: Option<Duration>,
    /// The instant of the newest proof of identity.
    pub(crate) proved_at: Instant,
    /// How old that proof may be for acts that require a recent one; `None` if no act does.
    pub(crate) max_proof_age: Option<Duration>,
    /// The thumbprint of the key to which the token is bound.
    pub(crate) thumbprint: Option<Box<[u8; 32]>>,
    last_recorded_at: AtomicI64,
    /// The version at which this process last read or wrote the session's row, plus one; zero for
    /// never.
    session_read: AtomicU64,
}

/// How often the use of a token is recorded for the store, in milliseconds.
const USE_RECORD_INTERVAL_MILLIS: i64 = 60_000;

impl VerifiedToken {
    /// Whether the session has expired and no refresh can have extended it.
    pub(crate) fn session_has_expired(&self, now: Instant) -> bool {
        self.has_fixed_end && self.session_expires_at.is_some_and(|end| end <= now)
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

    /// The memory of the token in the cache.
    fn heap_bytes(&self) -> usize {
        let thumbprint = if self.thumbprint.is_some() { allocation_bytes(size_of::<[u8; 32]>()) } else { 0 };
        TOKEN_BYTES + thumbprint
    }

    /// The instant of the last recorded use.
    pub(crate) fn last_recorded_at(&self) -> Instant {
        Instant::from_millis(self.last_recorded_at.load(Ordering::Relaxed))
    }
}

/// The memory of a cached token, whose texts are shared: the value and its two reference counts.
const TOKEN_BYTES: usize = allocation_bytes(size_of::<VerifiedToken>() + 2 * size_of::<usize>());

type TokenDigest = [u8; 32];

/// Verified access tokens by digest.
pub(crate) struct TokenCache {
    tokens: BoundedCache<TokenDigest, Arc<VerifiedToken>>,
    names: SharedNames,
}

impl TokenCache {
    /// An empty cache of at most `limit` bytes.
    pub(crate) fn with_limit(limit: u64) -> Self {
        Self {
            tokens: BoundedCache::new(limit, |_, token: &Arc<VerifiedToken>| token.heap_bytes()),
            names: SharedNames::default(),
        }
    }

    /// The size in bytes.
    pub(crate) fn size_bytes(&self) -> u64 {
        self.tokens.size_bytes()
    }

    pub(crate) fn digest(token: &str) -> TokenDigest {
        sha256(token.as_bytes())
    }

    pub(crate) fn get(&self, digest: &TokenDigest) -> Option<Arc<VerifiedToken>> {
        self.tokens.get(digest)
    }

    pub(crate) fn insert(&self, digest: TokenDigest, verified: &Arc<VerifiedToken>) {
        self.tokens.insert(digest, Arc::clone(verified));
    }

    pub(crate) fn remove(&self, digest: &TokenDigest) {
        self.tokens.remove(digest);
    }

    /// A token with these claims, signed by this key. `None` if its audience is not one of an
    /// access token, or if it is bound to something that is no key.
    pub(crate) fn build_token(&self, claims: &Claims, key: KeyId) -> Option<Arc<VerifiedToken>> {
        let thumbprint = match &claims.cnf {
            Some(confirmation) => Some(Box::new(confirmation.thumbprint()?)),
            None => None,
        };
        Some(Arc::new(VerifiedToken {
            key,
            id: claims.jti,
            issuer: self.names.share(&claims.iss),
            dialect: self.names.share(parse_audience(&claims.aud)?),
            session: claims.sid,
            kind: claims.kind(),
            generation: claims.generation,
            tenant: claims.tid,
            principal: claims.principal(),
            device: claims.did,
            epochs: claims.epochs(),
            session_created_at: Instant::from_millis(claims.sat),
            session_expires_at: claims.sxp.map(Instant::from_millis),
            has_fixed_end: claims.fin,
            issued_at: Instant::from_millis(claims.iat.saturating_mul(1000)),
            expires_at: claims.expires_at(),
            exchange_overlap: claims.exchange_overlap(),
            proved_at: Instant::from_millis(claims.auth_time.saturating_mul(1000)),
            max_proof_age: claims.max_proof_age(),
            thumbprint,
            last_recorded_at: AtomicI64::new(i64::MIN),
            session_read: AtomicU64::new(0),
        }))
    }
}

/// The issuers and dialects of tokens. There are few of them, so tokens share their texts.
#[derive(Default)]
struct SharedNames(Mutex<HashSet<Arc<str>>>);

/// How many names are shared. A token with another name has a copy of its own.
const MAX_SHARED_NAMES: usize = 64;

impl SharedNames {
    fn share(&self, name: &str) -> Arc<str> {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shared) = names.get(name) {
            return Arc::clone(shared);
        }
        let copy: Arc<str> = name.into();
        if names.len() < MAX_SHARED_NAMES {
            names.insert(Arc::clone(&copy));
        }
        copy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_share_few_names_and_copy_further_ones() {
        let names = SharedNames::default();
        let first = names.share("native");
        assert!(Arc::ptr_eq(&first, &names.share("native")));
        for number in 0..2 * MAX_SHARED_NAMES {
            assert_eq!(*names.share(&number.to_string()), *number.to_string());
        }
        assert_eq!(names.0.lock().unwrap().len(), MAX_SHARED_NAMES);
        assert!(Arc::ptr_eq(&first, &names.share("native")));
    }
}
