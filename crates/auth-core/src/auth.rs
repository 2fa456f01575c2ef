//! The engine: every call of authentication, over a store.
//!
//! [`Auth`] is made by [`Auth::builder`], shared by all threads, and blocks its callers. Each call stands in a file of its own
//! below this one; the rules stand in `judge`, `throttle` and `terms`.

mod authenticate;
mod builder;
mod change_password;
mod chores;
mod devices;
mod end;
mod exchange;
mod follow;
mod generate;
mod introspect;
mod keys;
mod list;
mod login;
mod mint;
mod program;
mod refresh;
mod refuse;
mod reset;
mod revoke;
mod signed;
mod stamp;
mod unlock;

use std::sync::Arc;
use std::time::Duration;

use tillgate_domain::change::Observer;
use tillgate_domain::{
    Action, Actor, Event, EventId, Instant, NodeId, Outcome, Secret, Store, StoreExt, Subject, TenantId,
};

pub use builder::{BuildError, Builder, Settings};
pub use change_password::PasswordChanged;
pub use chores::Swept;
pub use introspect::{Introspected, TokenUse};
pub use refresh::network;
pub use refuse::{Attempt, Lacking};
pub use signed::{DrawnApiKey, Signed};

use crate::Error;
use crate::changes::Changes;
use crate::clock::{Belief, Clock, Time, Timekeeper};
use crate::entropy::Entropy;
use crate::keys::{AuditSignet, Keyring};
use crate::passwords::{HashError, HashQueue, Lane};
use crate::ports::AuthView;
use crate::refusals::{Guest, Refusals, Who};
use crate::remembered::{ApiKeys, CacheUsage, FirstUses, Profiles, Sessions, Tokens};
use crate::throttle::{Throttle, Turns};
use crate::uses::Uses;

/// A store that authentication stands on: it runs units of work, and tells of what they changed.
pub trait AuthStore: Store<AuthView> {
    /// From now on this observer too is told which changes were committed through this store, before `run` returns.
    fn observe(&self, observer: Arc<dyn Observer>);
}

/// The engine.
pub struct Auth {
    store: Arc<dyn AuthStore>,
    clock: Arc<dyn Clock>,
    time: Timekeeper,
    entropy: Arc<dyn Entropy>,
    keyring: Keyring,
    signet: AuditSignet,
    throttle: Throttle,
    changes: Arc<Changes>,
    tokens: Tokens,
    profiles: Profiles,
    first_uses: FirstUses,
    api_keys: ApiKeys,
    uses: Uses,
    refusals: Refusals<Who>,
    guests: Refusals<Guest>,
    passwords: HashQueue,
    turns: Turns,
    follower: follow::Follower,
    chores: chores::Timetable,
    start: Start,
    sessions: Sessions,
    node: NodeId,
    issuer: String,
    settings: Settings,
}

/// What was so when this process started.
#[derive(Clone, Copy, Debug)]
struct Start {
    /// The newest instant that the store held before this process wrote to it: no clock of this process had a part in it.
    newest: Instant,
    /// The time of the monotonic clock.
    at: Duration,
}

/// Whether the engine can serve, part by part.
#[derive(Clone, Debug)]
pub struct Readiness {
    /// What keeps the store from being read; `None` where it is.
    pub store: Option<String>,
    /// Why the store takes no writes; `None` where it takes them. See [`Store::write_failure`](tillgate_domain::Store::write_failure).
    pub writes: Option<String>,
    /// Whether every key is open.
    pub keys: bool,
    /// Whether the view of what has changed is younger than its `max_age`.
    pub fresh: bool,
    /// Whether the clock is in doubt: told, not failed.
    pub clock_in_doubt: bool,
}

impl Readiness {
    /// Whether requests can be served.
    pub fn ready(&self) -> bool {
        self.store.is_none() && self.writes.is_none() && self.keys && self.fresh
    }
}

impl Auth {
    /// Starts to put an engine together over a store.
    pub fn builder(store: Arc<dyn AuthStore>) -> Builder {
        Builder::new(store)
    }

    /// What time it is, as far as that is known.
    pub fn time(&self) -> Time {
        self.time.now()
    }

    /// How far the machine's clock is believed.
    pub fn belief(&self) -> Belief {
        self.time.belief()
    }

    /// The public keys as a JWK set (RFC 7517, 5), in JSON.
    pub fn jwks(&self) -> Arc<str> {
        self.keyring.held().jwks()
    }

    /// How long a public key stands in [`jwks`](Self::jwks) before anything is signed with it.
    pub fn key_lead(&self) -> Duration {
        self.settings.key_lead
    }

    /// What the audit of this installation is sealed with: whoever has its master key has it, and nobody else.
    pub fn signet(&self) -> &AuditSignet {
        &self.signet
    }

    /// Who issues the tokens.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Whether the engine can serve. Reads the store.
    pub fn readiness(&self) -> Readiness {
        let store = self.store.read(|tx| tx.instances().find()).err().map(|error| error.to_string());
        Readiness {
            store,
            writes: self.store.write_failure(),
            keys: self.follower.keys_open(),
            fresh: self.fresh(),
            clock_in_doubt: self.time().in_doubt,
        }
    }

    /// How old the view of what has changed is; `None` before the first look.
    pub fn view_age(&self) -> Option<Duration> {
        self.changes.age(self.clock.monotonic())
    }

    /// How full the caches are.
    pub fn caches(&self) -> [CacheUsage; 8] {
        let limits = self.settings.caches;
        let size = |bytes: usize| u64::try_from(bytes).unwrap_or(u64::MAX);
        let denials = self.refusals.bytes().saturating_add(self.guests.bytes());
        [
            ("tokens", self.tokens.bytes(), limits.tokens),
            ("profiles", self.profiles.bytes(), limits.profiles),
            ("sessions", self.sessions.bytes(), limits.sessions),
            ("first_uses", self.first_uses.bytes(), limits.first_uses),
            ("api_keys", self.api_keys.bytes(), limits.api_keys),
            ("revocations", size(self.changes.bytes()), limits.revocations),
            ("activity", size(self.uses.bytes()), limits.activity),
            ("denials", size(denials), limits.denials),
        ]
        .map(|(name, bytes, limit)| CacheUsage { name, bytes, limit })
    }

    /// The hash queue, for its facts and for setting passwords.
    pub fn passwords(&self) -> &HashQueue {
        &self.passwords
    }

    /// Hashes a password that somebody sets who has proved who they are and calls from `address`; their networks have turns.
    pub fn hash(
        &self,
        password: &Secret<String>,
        address: Option<std::net::IpAddr>,
    ) -> Result<crate::ports::Verifier, Error> {
        self.passwords.hash(password, Lane::Known, address).map_err(|error| unverified(&error))
    }

    /// What the store tells of what it commits: the memory of what has ended.
    fn observer(&self) -> Arc<dyn Observer> {
        Arc::clone(&self.changes) as Arc<dyn Observer>
    }

    /// A new id of now, such as `UserId::new` makes. Drawn before the transaction that stores it.
    pub fn id<T>(&self, of: impl Fn(tillgate_domain::Instant, [u8; 10]) -> T) -> Result<T, Error> {
        let random = self.entropy.draw::<10>().map_err(|error| Error::Fault(error.to_string()))?;
        Ok(of(self.time().at, random))
    }

    fn event(
        &self,
        action: Action,
        outcome: Outcome,
        subject: Subject,
        tenant: Option<TenantId>,
    ) -> Result<Event, Error> {
        Ok(Event {
            id: self.id(EventId::new)?,
            at: self.time().at,
            tenant,
            actor: Actor::default(),
            action,
            subject,
            outcome,
            details: self.settings.details(),
            approver: None,
        })
    }
}

/// What a failure of the hash queue means to a caller.
fn unverified(error: &HashError) -> Error {
    match error {
        HashError::Busy { retry_after } => Error::Unavailable { why: error.to_string(), retry_after: *retry_after },
        HashError::NoMemory | HashError::Canceled => Error::unavailable(error.to_string()),
        HashError::NoEntropy(_) | HashError::Unreadable(_) | HashError::Broken => Error::Fault(error.to_string()),
    }
}
