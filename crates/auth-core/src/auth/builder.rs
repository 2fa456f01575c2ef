//! Putting an engine together: from a store and a master key, with everything else at its default.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use tillgate_domain::office::OS_USER_DETAIL;
use tillgate_domain::{Action, Event, EventId, EventOutcome, KeyId, NodeId, Scope, StoreError, StoreExt, Subject};

use super::{Auth, AuthStore, StartSnapshot};
use crate::activity::ActivityTracker;
use crate::cache::{ApiKeyCache, CacheLimits, FirstUseCache, ProfileCache, SessionCache, TokenCache};
use crate::clock::{Clock, Timekeeper};
use crate::denials::DenialLimiter;
use crate::entropy::Entropy;
use crate::keys::{
    AuditSealKey, KeyError, KeyEvent, Keyring, MasterKey, SigningAlgorithm, generate_key, insert_first_keys,
};
use crate::passwords::{Argon2id, Cost, HashQueue, InvalidCost, PasswordHasher, PasswordPolicy, QueueLimits};
use crate::ports::{KeyKind, KeyState, StoredKey};
use crate::revocations::RevocationCache;
use crate::system::{SystemClock, SystemEntropy};
use crate::throttle::{LoginQueue, Throttle, ThrottleLimits};
use crate::token::crypto;

/// What an engine is set to.
#[derive(Clone, Debug)]
pub struct AuthSettings {
    /// Who issues the tokens; `urn:uuid:` and the id of the store where it is not said.
    pub issuer: Option<String>,
    /// How access tokens are signed.
    pub algorithm: SigningAlgorithm,
    /// How long a new key waits before it is used.
    pub key_lead: Duration,
    /// How old the view of what has changed may be and still be trusted.
    pub max_age: Duration,
    /// How long sessions are kept that are over.
    pub ended_session_retention: Duration,
    /// How long a process runs before it removes what nobody needs any more: a clock that is wrong at the start may be set
    /// meanwhile.
    pub sweep_delay: Duration,
    /// What passwords cost.
    pub cost: Cost,
    /// Which passwords may be set.
    pub policy: PasswordPolicy,
    /// How many hashes wait and run.
    pub queue: QueueLimits,
    /// How failed logins are held back.
    pub throttle: ThrottleLimits,
    /// How much is remembered besides the store.
    pub caches: CacheLimits,
    /// The operating system user of a command-line process, such as `anna@pos-1`. It is recorded as `shell` in the details of audit
    /// events that have no other actor. `None` for a server.
    pub os_user: Option<String>,
}

impl Default for AuthSettings {
    fn default() -> Self {
        Self {
            issuer: None,
            algorithm: SigningAlgorithm::default(),
            key_lead: Duration::from_hours(24),
            max_age: Duration::from_mins(1),
            ended_session_retention: Duration::from_hours(30 * 24),
            sweep_delay: Duration::from_hours(1),
            cost: Cost::default(),
            policy: PasswordPolicy::default(),
            queue: QueueLimits::default(),
            throttle: ThrottleLimits::default(),
            caches: CacheLimits::default(),
            os_user: None,
        }
    }
}

impl AuthSettings {
    /// What stands in the details of every audit line that no caller caused.
    pub(super) fn audit_details(&self) -> Map<String, Value> {
        self.os_user.iter().map(|shell| (OS_USER_DETAIL.to_owned(), Value::from(shell.as_str()))).collect()
    }
}

/// Why an engine cannot be put together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// No master key was given.
    #[error("the engine needs a master key: Auth::builder(store).master(key)")]
    MasterKeyMissing,
    /// The keys cannot be held.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// jsonwebtoken is taken.
    #[error(transparent)]
    Crypto(#[from] crypto::ForeignProvider),
    /// A cost that no server could bear.
    #[error(transparent)]
    Cost(#[from] InvalidCost),
    /// No thread, or no randomness, could be had.
    #[error("the system refuses: {0}")]
    System(String),
}

/// Puts an engine together.
pub struct AuthBuilder {
    store: Arc<dyn AuthStore>,
    master: Option<MasterKey>,
    settings: AuthSettings,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    hasher: Option<Arc<dyn PasswordHasher>>,
    maintenance: bool,
}

impl AuthBuilder {
    pub(super) fn new(store: Arc<dyn AuthStore>) -> Self {
        Self {
            store,
            master: None,
            settings: AuthSettings::default(),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy::new()),
            hasher: None,
            maintenance: true,
        }
    }

    /// The master key that wraps the keys in the store; the same for every process over it.
    pub fn master(mut self, master: MasterKey) -> Self {
        self.master = Some(master);
        self
    }

    /// Other settings than the default ones.
    pub fn settings(mut self, settings: AuthSettings) -> Self {
        self.settings = settings;
        self
    }

    /// Another clock than the machine's.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Another source of chance than the machine's.
    pub fn entropy(mut self, entropy: Arc<dyn Entropy>) -> Self {
        self.entropy = entropy;
        self
    }

    /// Another password hash than Argon2id.
    pub fn hasher(mut self, hasher: Arc<dyn PasswordHasher>) -> Self {
        self.hasher = Some(hasher);
        self
    }

    /// No thread for the chores: whoever builds the engine calls [`Auth::run_due_maintenance`].
    pub fn without_maintenance(mut self) -> Self {
        self.maintenance = false;
        self
    }

    /// Opens the keys, making the first ones where the store has none, reads what has changed, and starts the chores.
    pub fn build(self) -> Result<Arc<Auth>, BuildError> {
        crypto::install_provider()?;
        let master = self.master.ok_or(BuildError::MasterKeyMissing)?;
        let counting = master.derive(b"counting failed logins").ok_or(KeyError::Entropy)?;
        let signet = AuditSealKey::of(&master).ok_or(KeyError::Entropy)?;
        let throttle = Throttle::new(&counting, self.settings.throttle);
        // read before anything is written: a wrong clock here has had no part in it
        let boot = self.clock.boot_id();
        let (newest, origin) = self.store.read(|tx| {
            let origin = boot.map(|boot| tx.nodes().find_origin(boot)).transpose()?.flatten();
            Ok((tx.instances().newest_instant()?, origin))
        })?;
        let time = Timekeeper::start(Arc::clone(&self.clock), newest, origin);
        let now = time.now().at;
        let start = StartSnapshot { newest_stored: newest.unwrap_or(now), monotonic: self.clock.monotonic() };
        let instance = self.store.read(|tx| tx.instances().find())?;
        let drawn = KeyKind::ALL
            .map(|kind| generate_key(kind, self.settings.algorithm, KeyState::Current, &master, &*self.entropy, now))
            .into_iter()
            .collect::<Result<Vec<_>, _>>()?;
        let events = build_key_events(&drawn, now, &*self.entropy, &self.settings.audit_details())?;
        let stored = self.store.read(|tx| tx.keys().list())?;
        let stored = if KeyKind::ALL.iter().all(|kind| stored.iter().any(|key| key.kind == *kind)) {
            stored
        } else {
            create_first_keys(&*self.store, &drawn, &events)?
        };
        let keyring = Keyring::open(&stored, master)?;
        let hasher = match self.hasher {
            Some(hasher) => hasher,
            None => Arc::new(Argon2id::new(self.settings.cost)?),
        };
        let passwords =
            HashQueue::start(hasher, Arc::clone(&self.entropy), Arc::clone(&self.clock), self.settings.queue)
                .map_err(|error| BuildError::System(error.to_string()))?;
        let caches = self.settings.caches;
        let node = NodeId::new(now, self.entropy.random_bytes().map_err(|_| KeyError::Entropy)?);
        let auth = Arc::new(Auth {
            login_queue: LoginQueue::new(self.settings.queue.waiting),
            issuer: self.settings.issuer.clone().unwrap_or_else(|| format!("urn:uuid:{}", instance.id)),
            revocations: Arc::new(RevocationCache::with_limit(to_usize(caches.revocations))),
            token_cache: TokenCache::with_limit(caches.tokens),
            profile_cache: ProfileCache::with_limit(caches.profiles),
            first_use_cache: FirstUseCache::with_limit(caches.first_uses),
            api_key_cache: ApiKeyCache::with_limit(caches.api_keys),
            session_cache: SessionCache::with_limit(caches.sessions),
            activity: ActivityTracker::new(start.monotonic, to_usize(caches.activity)),
            start,
            caller_denials: DenialLimiter::with_limit(to_usize(caches.denials) / 2),
            guest_denials: DenialLimiter::with_limit(to_usize(caches.denials) / 2),
            follower: super::feed_follower::FeedFollower::default(),
            schedule: super::maintenance::Schedule::default(),
            store: self.store,
            clock: self.clock,
            entropy: self.entropy,
            settings: self.settings,
            timekeeper: time,
            keyring,
            audit_seal_key: signet,
            throttle,
            hash_queue: passwords,
            node,
        });
        auth.store.add_observer(auth.observer());
        auth.poll_feed().map_err(|error| BuildError::Store(StoreError::Unavailable(error.to_string())))?;
        if self.maintenance {
            Auth::start_maintenance(&auth).map_err(|error| BuildError::System(error.to_string()))?;
        }
        Ok(auth)
    }
}

fn to_usize(limit: u64) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

fn build_key_events(
    drawn: &[StoredKey],
    now: tillgate_domain::Instant,
    entropy: &dyn Entropy,
    details: &Map<String, Value>,
) -> Result<Vec<(KeyId, Event)>, KeyError> {
    let event = |key: &StoredKey| {
        Ok((
            key.id,
            Event {
                id: EventId::new(now, entropy.random_bytes().map_err(|_| KeyError::Entropy)?),
                at: now,
                tenant: None,
                actor: tillgate_domain::Actor::default(),
                action: Action::KeyAdd,
                subject: Subject::Key(key.id),
                outcome: EventOutcome::Done,
                details: details.clone(),
                approver: None,
            },
        ))
    };
    drawn.iter().map(event).collect()
}

/// The first keys are born: of two processes that start at once, one bears them.
fn create_first_keys(
    store: &dyn AuthStore,
    drawn: &[StoredKey],
    events: &[(KeyId, Event)],
) -> Result<Vec<StoredKey>, StoreError> {
    store.write(|tx| {
        let (stored, born) = insert_first_keys(tx, drawn)?;
        for (key, event) in events {
            if born.contains(&KeyEvent::Created(*key)) {
                tx.audit().record(event)?;
                tx.revocations().invalidate(Scope::Keys, event.at)?;
            }
        }
        Ok(stored)
    })
}
