//! The engine: its calls, over a store.
//!
//! [`Auth::builder`] creates an [`Auth`], which all threads share. Its calls block. Each call is in
//! a module below this one; the decisions are pure functions in `judge`, `throttle` and `terms`.

mod api_keys;
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
mod live_events;
mod login;
mod login_throttles;
mod maintenance;
mod mint;
mod one_time_tokens;
mod permanent_token;
mod pins;
mod proofs;
mod reach;
mod refresh;
mod revoke;
mod session_end;
mod session_list;
mod step_up;
mod unlock;

use std::sync::Arc;
use std::time::Duration;

use tillgate_domain::change::Observer;
use tillgate_domain::{
    Action, Actor, Event, EventId, EventOutcome, Instant, NodeId, Secret, Store, StoreExt, Subject, TenantId,
};

pub use api_keys::{ApiKeyIdentity, GeneratedApiKey};
pub use audit_denials::{DeniedCall, MissingRequirement};
pub use builder::{AuthBuilder, AuthSettings, BuildError};
pub use change_password::PasswordChange;
pub use devices::LoginDevice;
pub use introspect::{Introspection, TokenUse};
pub use live_events::may_see_event;
pub use login::{OperatorRequest, SignedInOperator};
pub use maintenance::SweepCounts;
pub use pins::DrawnPin;

use crate::Error;
use crate::activity::ActivityTracker;
use crate::cache::{ApiKeyCache, CacheUsage, FirstUseCache, ProfileCache, ProofCache, SessionCache, TokenCache};
use crate::clock::{Clock, ClockConfidence, Time, Timekeeper};
use crate::denials::{CallerKey, DenialLimiter, GuestKey};
use crate::enrollment_code::EnrollmentCodeKey;
use crate::entropy::Entropy;
use crate::keys::{AuditSealKey, Keyring, NonceKey};
use crate::passwords::{HashError, HashQueue, Lane};
use crate::ports::AuthPorts;
use crate::revocations::RevocationCache;
use crate::throttle::{LoginQueue, Throttle};

/// The store of an engine: it runs units of work and notifies observers of the changes that they
/// commit.
pub trait AuthStore: Store<AuthPorts> {
    /// Adds an observer. It is notified of every change that is committed through this store,
    /// before `run` returns.
    fn add_observer(&self, observer: Arc<dyn Observer>);
}

/// The engine; see the [crate documentation](crate).
pub struct Auth {
    store: Arc<dyn AuthStore>,
    clock: Arc<dyn Clock>,
    timekeeper: Timekeeper,
    entropy: Arc<dyn Entropy>,
    keyring: Keyring,
    audit_seal_key: AuditSealKey,
    nonce_key: NonceKey,
    enrollment_code_key: EnrollmentCodeKey,
    throttle: Throttle,
    revocations: Arc<RevocationCache>,
    token_cache: TokenCache,
    profile_cache: ProfileCache,
    first_use_cache: FirstUseCache,
    api_key_cache: ApiKeyCache,
    proof_cache: ProofCache,
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

/// The state of store and clock when this process started.
#[derive(Clone, Copy, Debug)]
struct StartSnapshot {
    /// The newest instant in the store before this process wrote to it, so no clock of this process
    /// has influenced it.
    newest_stored: Instant,
    /// The reading of the monotonic clock.
    monotonic: Duration,
}

/// Whether the engine can serve requests, by part.
#[derive(Clone, Debug)]
pub struct Readiness {
    /// Why the store cannot be read; `None` if it can.
    pub store_failure: Option<String>,
    /// Why the store cannot be written, as in
    /// [`Store::write_failure`]; `None` if it can.
    pub write_failure: Option<String>,
    /// Whether all keys in the store could be opened.
    pub are_keys_open: bool,
    /// Whether the change feed was read within [`AuthSettings::max_age`].
    pub feed_fresh: bool,
    /// Whether the clock is in doubt. This is reported, but does not prevent serving.
    pub clock_in_doubt: bool,
}

impl Readiness {
    /// Whether requests can be served.
    pub fn is_ready(&self) -> bool {
        self.store_failure.is_none() && self.write_failure.is_none() && self.are_keys_open && self.feed_fresh
    }
}

impl Auth {
    /// Starts to build an engine over a store.
    pub fn builder(store: Arc<dyn AuthStore>) -> AuthBuilder {
        AuthBuilder::new(store)
    }

    /// The current time, as far as it is known.
    pub fn time(&self) -> Time {
        self.timekeeper.now()
    }

    /// Whether, and since when, the wall clock is trusted.
    pub fn clock_confidence(&self) -> ClockConfidence {
        self.timekeeper.confidence()
    }

    /// The public keys as a JWK set in JSON (RFC 7517, section 5).
    pub fn jwks(&self) -> Arc<str> {
        self.keyring.current().jwks()
    }

    /// How long a public key is in [`jwks`](Self::jwks) before it signs tokens.
    pub fn key_lead(&self) -> Duration {
        self.settings.key_lead
    }

    /// The key that seals the audit events of this installation. It is derived from the master key.
    pub fn audit_seal_key(&self) -> &AuditSealKey {
        &self.audit_seal_key
    }

    /// The issuer of the tokens (`iss`).
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Reads the store and returns whether the engine can serve requests.
    pub fn readiness(&self) -> Readiness {
        let store = self.store.read("check_readiness", |tx| tx.instances().find()).err().map(|error| error.to_string());
        Readiness {
            store_failure: store,
            write_failure: self.store.write_failure(),
            are_keys_open: self.follower.are_keys_open(),
            feed_fresh: self.is_feed_fresh(),
            clock_in_doubt: self.time().in_doubt,
        }
    }

    /// The time since the change feed was last read; `None` before the first time.
    pub fn feed_age(&self) -> Option<Duration> {
        self.revocations.age(self.clock.monotonic())
    }

    /// The size and the limit of each cache.
    pub fn cache_usage(&self) -> [CacheUsage; 9] {
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
            ("proofs", self.proof_cache.size_bytes(), limits.proofs),
        ]
        .map(|(name, bytes, limit)| CacheUsage { name, bytes, limit })
    }

    /// The hash queue, for its metrics and for setting passwords.
    pub fn hash_queue(&self) -> &HashQueue {
        &self.hash_queue
    }

    /// Hashes a password that an authenticated caller sets from `address`. Networks take turns in
    /// the queue.
    pub fn hash_password(
        &self,
        password: &Secret<String>,
        address: Option<std::net::IpAddr>,
    ) -> Result<crate::ports::Verifier, Error> {
        self.hash_queue.hash(password, Lane::Known, address).map_err(|error| map_hash_error(&error))
    }

    /// Adds an observer of the changes that this process commits.
    pub fn observe_changes(&self, observer: Arc<dyn Observer>) {
        self.store.add_observer(observer);
    }

    /// The observer of the store: the revocation cache.
    fn observer(&self) -> Arc<dyn Observer> {
        Arc::clone(&self.revocations) as Arc<dyn Observer>
    }

    /// A new identifier with the current time, made by a function such as `UserId::new`. Create it
    /// before the transaction that stores it.
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

/// Maps a failure of the hash queue to the error of the call.
fn map_hash_error(error: &HashError) -> Error {
    match error {
        HashError::Busy { retry_after } => Error::Unavailable { why: error.to_string(), retry_after: *retry_after },
        HashError::NoMemory | HashError::Canceled => Error::unavailable(error.to_string()),
        HashError::NoEntropy(_) | HashError::Unreadable(_) | HashError::Broken => Error::Fault(error.to_string()),
    }
}
