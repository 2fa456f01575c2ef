//! The engine: every call of authentication, over a store.
//!
//! [`Auth`] is made by [`Auth::builder`], shared by all threads, and blocks its callers. Each call stands in a file of its own
//! below this one; the rules stand in `judge`, `throttle` and `terms`.

mod audit_context;
mod audit_denials;
mod authenticate;
mod builder;
mod change_password;
mod client_credentials;
mod devices;
mod exchange;
mod feed_follower;
mod introspect;
mod keys;
mod login;
mod maintenance;
mod mint;
mod permanent_token;
mod refresh;
mod reset_token;
mod revoke;
mod session_end;
mod session_list;
mod signed_request;
mod unlock;

use std::sync::Arc;
use std::time::Duration;

use tillgate_domain::change::Observer;
use tillgate_domain::{
    Action, Actor, Event, EventId, EventOutcome, Instant, NodeId, Secret, Store, StoreExt, Subject, TenantId,
};

pub use audit_denials::{DeniedCall, MissingRequirement};
pub use builder::{AuthBuilder, AuthSettings, BuildError};
pub use change_password::PasswordChange;
pub use introspect::{Introspection, TokenUse};
pub use maintenance::SweepCounts;
pub use refresh::subscriber_prefix;
pub use signed_request::{ApiKeyIdentity, GeneratedApiKey};

use crate::Error;
use crate::activity::ActivityTracker;
use crate::cache::{ApiKeyCache, CacheUsage, FirstUseCache, ProfileCache, SessionCache, TokenCache};
use crate::clock::{Clock, ClockConfidence, Time, Timekeeper};
use crate::denials::{CallerKey, DenialLimiter, GuestKey};
use crate::entropy::Entropy;
use crate::keys::{AuditSealKey, Keyring};
use crate::passwords::{HashError, HashQueue, Lane};
use crate::ports::AuthPorts;
use crate::revocations::RevocationCache;
use crate::throttle::{LoginQueue, Throttle};

/// A store that authentication stands on: it runs units of work, and tells of what they changed.
pub trait AuthStore: Store<AuthPorts> {
    /// From now on this observer too is told which changes were committed through this store, before `run` returns.
    fn add_observer(&self, observer: Arc<dyn Observer>);
}

/// The engine.
pub struct Auth {
    store: Arc<dyn AuthStore>,
    clock: Arc<dyn Clock>,
    timekeeper: Timekeeper,
    entropy: Arc<dyn Entropy>,
    keyring: Keyring,
    audit_seal_key: AuditSealKey,
    throttle: Throttle,
    revocations: Arc<RevocationCache>,
    token_cache: TokenCache,
    profile_cache: ProfileCache,
    first_use_cache: FirstUseCache,
    api_key_cache: ApiKeyCache,
    activity: ActivityTracker,
    caller_denials: DenialLimiter<CallerKey>,
    guest_denials: DenialLimiter<GuestKey>,
    hash_queue: HashQueue,
    login_queue: LoginQueue,
    follower: feed_follower::FeedFollower,
    schedule: maintenance::Schedule,
    start: StartSnapshot,
    session_cache: SessionCache,
    node: NodeId,
    issuer: String,
    settings: AuthSettings,
}

/// What was so when this process started.
#[derive(Clone, Copy, Debug)]
struct StartSnapshot {
    /// The newest instant that the store held before this process wrote to it: no clock of this process had a part in it.
    newest_stored: Instant,
    /// The time of the monotonic clock.
    monotonic: Duration,
}

/// Whether the engine can serve, part by part.
#[derive(Clone, Debug)]
pub struct Readiness {
    /// What keeps the store from being read; `None` where it is.
    pub store_failure: Option<String>,
    /// Why the store takes no writes; `None` where it takes them. See [`Store::write_failure`](tillgate_domain::Store::write_failure).
    pub write_failure: Option<String>,
    /// Whether every key is open.
    pub are_keys_open: bool,
    /// Whether the view of what has changed is younger than its `max_age`.
    pub feed_fresh: bool,
    /// Whether the clock is in doubt: told, not failed.
    pub clock_in_doubt: bool,
}

impl Readiness {
    /// Whether requests can be served.
    pub fn is_ready(&self) -> bool {
        self.store_failure.is_none() && self.write_failure.is_none() && self.are_keys_open && self.feed_fresh
    }
}

impl Auth {
    /// Starts to put an engine together over a store.
    pub fn builder(store: Arc<dyn AuthStore>) -> AuthBuilder {
        AuthBuilder::new(store)
    }

    /// What time it is, as far as that is known.
    pub fn time(&self) -> Time {
        self.timekeeper.now()
    }

    /// How far the machine's clock is believed.
    pub fn clock_confidence(&self) -> ClockConfidence {
        self.timekeeper.confidence()
    }

    /// The public keys as a JWK set (RFC 7517, 5), in JSON.
    pub fn jwks(&self) -> Arc<str> {
        self.keyring.current().jwks()
    }

    /// How long a public key stands in [`jwks`](Self::jwks) before anything is signed with it.
    pub fn key_lead(&self) -> Duration {
        self.settings.key_lead
    }

    /// What the audit of this installation is sealed with: whoever has its master key has it, and nobody else.
    pub fn audit_seal_key(&self) -> &AuditSealKey {
        &self.audit_seal_key
    }

    /// Who issues the tokens.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Whether the engine can serve. Reads the store.
    pub fn readiness(&self) -> Readiness {
        let store = self.store.read(|tx| tx.instances().find()).err().map(|error| error.to_string());
        Readiness {
            store_failure: store,
            write_failure: self.store.write_failure(),
            are_keys_open: self.follower.are_keys_open(),
            feed_fresh: self.is_feed_fresh(),
            clock_in_doubt: self.time().in_doubt,
        }
    }

    /// How old the view of what has changed is; `None` before the first look.
    pub fn feed_age(&self) -> Option<Duration> {
        self.revocations.age(self.clock.monotonic())
    }

    /// How full the caches are.
    pub fn cache_usage(&self) -> [CacheUsage; 8] {
        let limits = self.settings.caches;
        let size = |bytes: usize| u64::try_from(bytes).unwrap_or(u64::MAX);
        let denials = self.caller_denials.size_bytes().saturating_add(self.guest_denials.size_bytes());
        [
            ("tokens", self.token_cache.size_bytes(), limits.tokens),
            ("profiles", self.profile_cache.size_bytes(), limits.profiles),
            ("sessions", self.session_cache.size_bytes(), limits.sessions),
            ("first_uses", self.first_use_cache.size_bytes(), limits.first_uses),
            ("api_keys", self.api_key_cache.size_bytes(), limits.api_keys),
            ("revocations", size(self.revocations.size_bytes()), limits.revocations),
            ("activity", size(self.activity.size_bytes()), limits.activity),
            ("denials", size(denials), limits.denials),
        ]
        .map(|(name, bytes, limit)| CacheUsage { name, bytes, limit })
    }

    /// The hash queue, for its facts and for setting passwords.
    pub fn hash_queue(&self) -> &HashQueue {
        &self.hash_queue
    }

    /// Hashes a password that somebody sets who has proved who they are and calls from `address`; their networks have turns.
    pub fn hash_password(
        &self,
        password: &Secret<String>,
        address: Option<std::net::IpAddr>,
    ) -> Result<crate::ports::Verifier, Error> {
        self.hash_queue.hash(password, Lane::Known, address).map_err(|error| map_hash_error(&error))
    }

    /// What the store tells of what it commits: the memory of what has ended.
    fn observer(&self) -> Arc<dyn Observer> {
        Arc::clone(&self.revocations) as Arc<dyn Observer>
    }

    /// A new id of now, such as `UserId::new` makes. Drawn before the transaction that stores it.
    pub fn new_id<T>(&self, of: impl Fn(tillgate_domain::Instant, [u8; 10]) -> T) -> Result<T, Error> {
        let random = self.entropy.random_bytes::<10>().map_err(|error| Error::Fault(error.to_string()))?;
        Ok(of(self.time().at, random))
    }

    fn new_event(
        &self,
        action: Action,
        outcome: EventOutcome,
        subject: Subject,
        tenant: Option<TenantId>,
    ) -> Result<Event, Error> {
        Ok(Event {
            id: self.new_id(EventId::new)?,
            at: self.time().at,
            tenant,
            actor: Actor::default(),
            action,
            subject,
            outcome,
            details: self.settings.audit_details(),
            approver: None,
        })
    }
}

/// What a failure of the hash queue means to a caller.
fn map_hash_error(error: &HashError) -> Error {
    match error {
        HashError::Busy { retry_after } => Error::Unavailable { why: error.to_string(), retry_after: *retry_after },
        HashError::NoMemory | HashError::Canceled => Error::unavailable(error.to_string()),
        HashError::NoEntropy(_) | HashError::Unreadable(_) | HashError::Broken => Error::Fault(error.to_string()),
    }
}
