//! Builds an engine from a store and a master key; everything else has a default.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use tillgate_domain::office::OS_USER_DETAIL;
use tillgate_domain::{Action, Event, EventId, EventOutcome, KeyId, NodeId, Scope, StoreError, StoreExt, Subject};

use super::{Auth, AuthStore, StartSnapshot};
use crate::activity::ActivityTracker;
use crate::cache::{ApiKeyCache, CacheLimits, FirstUseCache, ProfileCache, ProofCache, SessionCache, TokenCache};
use crate::clock::{Clock, Timekeeper};
use crate::denials::DenialLimiter;
use crate::enrollment_code::EnrollmentCodeKey;
use crate::entropy::Entropy;
use crate::keys::{
    AuditSealKey, KeyError, KeyEvent, Keyring, MasterKey, NonceKey, SigningAlgorithm, generate_key, insert_first_keys,
};
use crate::passwords::{Argon2id, Cost, HashQueue, InvalidCost, PasswordHasher, PasswordPolicy, QueueLimits};
use crate::ports::{KeyKind, KeyState, StoredKey};
use crate::revocations::RevocationCache;
use crate::system::{SystemClock, SystemEntropy};
use crate::throttle::{LoginQueue, Throttle, ThrottleLimits};
use crate::token::crypto;

/// The settings of an engine.
#[derive(Clone, Debug)]
pub struct AuthSettings {
    /// The issuer of the tokens; by default `urn:uuid:` and the id of the store.
    pub issuer: Option<String>,
    /// The algorithm that signs access tokens.
    pub algorithm: SigningAlgorithm,
    /// How long a new key is published before it is used.
    pub key_lead: Duration,
    /// The greatest age of the change feed at which cached data is still used.
    pub max_age: Duration,
    /// How long ended sessions are kept.
    pub ended_session_retention: Duration,
    /// How long a process runs before it removes old data, so that a clock that is wrong at the
    /// start can be corrected in time.
    pub sweep_delay: Duration,
    /// The Argon2id parameters of passwords.
    pub cost: Cost,
    /// The rules for new passwords.
    pub policy: PasswordPolicy,
    /// The number of password hashes that may run and wait.
    pub queue: QueueLimits,
    /// The rate limits of failed logins.
    pub throttle: ThrottleLimits,
    /// The sizes of the caches.
    pub caches: CacheLimits,
    /// The operating system user of a command-line process, such as `anna@pos-1`. It is recorded as
    /// `shell` in the details of audit events that have no other actor. `None` for a server.
    pub os_user: Option<String>,
    /// The name of this process for the operator, such as `pos-1:4711`; `None` for its id.
    pub process_name: Option<String>,
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
            process_name: None,
        }
    }
}

impl AuthSettings {
    /// The details of audit events that no caller caused.
    pub(super) fn audit_details(&self) -> Map<String, Value> {
        self.os_user.iter().map(|shell| (OS_USER_DETAIL.to_owned(), Value::from(shell.as_str()))).collect()
    }
}

/// Why an engine cannot be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// No master key was given.
    #[error("the engine has no master key; call `Auth::builder(store).master(key)`")]
    MasterKeyMissing,
    /// A key in the store cannot be opened, or none can be created.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The store returned an error.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Another crypto provider of jsonwebtoken is installed.
    #[error(transparent)]
    Crypto(#[from] crypto::ForeignProvider),
    /// The Argon2id parameters are out of range.
    #[error(transparent)]
    Cost(#[from] InvalidCost),
    /// The system provides no thread or no random bytes.
    #[error("the operating system refused a resource: {0}")]
    System(String),
}

/// Builds an engine; see [`Auth::builder`].
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

    /// The master key that encrypts the keys in the store. It is the same for every process over
    /// the store. Required.
    pub fn master(mut self, master: MasterKey) -> Self {
        self.master = Some(master);
        self
    }

    /// Sets the settings instead of the default ones.
    pub fn settings(mut self, settings: AuthSettings) -> Self {
        self.settings = settings;
        self
    }

    /// Sets another clock than the machine's, for tests.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Sets another source of random bytes than the operating system, for tests.
    pub fn entropy(mut self, entropy: Arc<dyn Entropy>) -> Self {
        self.entropy = entropy;
        self
    }

    /// Sets another password hash function than Argon2id.
    pub fn hasher(mut self, hasher: Arc<dyn PasswordHasher>) -> Self {
        self.hasher = Some(hasher);
        self
    }

    /// Starts no maintenance thread; the caller runs [`Auth::run_due_maintenance`] instead.
    pub fn without_maintenance(mut self) -> Self {
        self.maintenance = false;
        self
    }

    /// Builds the engine: opens the keys (creates the first ones in an empty store), reads the
    /// change feed, and starts the maintenance thread.
    pub fn build(self) -> Result<Arc<Auth>, BuildError> {
        crypto::install_provider()?;
        let master = self.master.ok_or(BuildError::MasterKeyMissing)?;
        let counting = master.derive(b"counting failed logins").ok_or(KeyError::Entropy)?;
        let audit_seal_key = AuditSealKey::of(&master).ok_or(KeyError::Entropy)?;
        let nonce_key = NonceKey::of(&master).ok_or(KeyError::Entropy)?;
        let enrollment_code_key = EnrollmentCodeKey::of(&master).ok_or(KeyError::Entropy)?;
        let throttle = Throttle::new(&counting, self.settings.throttle);
        // Read before anything is written, so that a wrong clock of this process has no influence
        // on it.
        let boot = self.clock.boot_id();
        let (newest, origin) = self.store.read("start_engine", |tx| {
            let origin = boot.map(|boot| tx.nodes().find_origin(boot)).transpose()?.flatten();
            Ok((tx.instances().newest_instant()?, origin))
        })?;
        let time = Timekeeper::start(Arc::clone(&self.clock), newest, origin);
        let now = time.now().at;
        let start = StartSnapshot { newest_stored: newest.unwrap_or(now), monotonic: self.clock.monotonic() };
        let instance = self.store.read("start_engine", |tx| tx.instances().find())?;
        let mut stored = self.store.read("start_engine", |tx| tx.keys().list())?;
        let missing = KeyKind::ALL.into_iter().filter(|kind| stored.iter().all(|key| key.kind != *kind));
        let generated = missing
            .map(|kind| generate_key(kind, self.settings.algorithm, KeyState::Current, &master, &*self.entropy, now))
            .collect::<Result<Vec<_>, _>>()?;
        if !generated.is_empty() {
            let events = build_key_events(&generated, now, &*self.entropy, &self.settings.audit_details())?;
            stored = create_first_keys(&*self.store, &generated, &events)?;
        }
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
            proof_cache: ProofCache::with_limit(caches.proofs),
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
            audit_seal_key,
            nonce_key,
            enrollment_code_key,
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
    generated: &[StoredKey],
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
    generated.iter().map(event).collect()
}

/// Stores the first keys. If two processes start at once, the keys of one of them are used.
fn create_first_keys(
    store: &dyn AuthStore,
    generated: &[StoredKey],
    events: &[(KeyId, Event)],
) -> Result<Vec<StoredKey>, StoreError> {
    store.write("create_first_keys", |tx| {
        let (stored, created) = insert_first_keys(tx, generated)?;
        for (key, event) in events {
            if created.contains(&KeyEvent::Created(*key)) {
                tx.audit().record(event)?;
                tx.revocations().invalidate(Scope::Keys, event.at)?;
            }
        }
        Ok(stored)
    })
}
