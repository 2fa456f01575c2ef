//! Putting an engine together: from a store and a master key, with everything else at its default.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use tillgate_domain::office::SHELL;
use tillgate_domain::{Action, Event, EventId, KeyId, NodeId, Outcome, Scope, StoreError, StoreExt, Subject};

use super::{Auth, AuthStore, Start};
use crate::changes::Changes;
use crate::clock::{Clock, Timekeeper};
use crate::entropy::Entropy;
use crate::keys::{AuditSignet, KeyError, Keyring, Lifecycle, MasterKey, SigningAlgorithm, draw, first};
use crate::passwords::{Argon2id, Cost, HashQueue, InvalidCost, PasswordHasher, PasswordPolicy, QueueLimits};
use crate::ports::{KeyKind, KeyState, StoredKey};
use crate::refusals::Refusals;
use crate::remembered::{ApiKeys, CacheLimits, FirstUses, Profiles, Sessions, Tokens};
use crate::system::{SystemClock, SystemEntropy};
use crate::throttle::{Throttle, ThrottleLimits, Turns};
use crate::token::crypto;
use crate::uses::Uses;

/// What an engine is set to.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Who issues the tokens; `urn:uuid:` and the id of the store where it is not said.
    pub issuer: Option<String>,
    /// How access tokens are signed.
    pub algorithm: SigningAlgorithm,
    /// How long a new key waits before it is used.
    pub key_lead: Duration,
    /// How old the view of what has changed may be and still be trusted.
    pub max_age: Duration,
    /// How long sessions are kept that are over.
    pub keep_ended: Duration,
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
    pub shell: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            issuer: None,
            algorithm: SigningAlgorithm::default(),
            key_lead: Duration::from_hours(24),
            max_age: Duration::from_mins(1),
            keep_ended: Duration::from_hours(30 * 24),
            sweep_delay: Duration::from_hours(1),
            cost: Cost::default(),
            policy: PasswordPolicy::default(),
            queue: QueueLimits::default(),
            throttle: ThrottleLimits::default(),
            caches: CacheLimits::default(),
            shell: None,
        }
    }
}

impl Settings {
    /// What stands in the details of every audit line that no caller caused.
    pub(super) fn details(&self) -> Map<String, Value> {
        self.shell.iter().map(|shell| (SHELL.to_owned(), Value::from(shell.as_str()))).collect()
    }
}

/// Why an engine cannot be put together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// No master key was given.
    #[error("the engine needs a master key: Auth::builder(store).master(key)")]
    NoMaster,
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
pub struct Builder {
    store: Arc<dyn AuthStore>,
    master: Option<MasterKey>,
    settings: Settings,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    hasher: Option<Arc<dyn PasswordHasher>>,
    chores: bool,
}

impl Builder {
    pub(super) fn new(store: Arc<dyn AuthStore>) -> Self {
        Self {
            store,
            master: None,
            settings: Settings::default(),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy::new()),
            hasher: None,
            chores: true,
        }
    }

    /// The master key that wraps the keys in the store; the same for every process over it.
    pub fn master(mut self, master: MasterKey) -> Self {
        self.master = Some(master);
        self
    }

    /// Other settings than the default ones.
    pub fn settings(mut self, settings: Settings) -> Self {
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

    /// No thread for the chores: whoever builds the engine calls [`Auth::chore`].
    pub fn without_chores(mut self) -> Self {
        self.chores = false;
        self
    }

    /// Opens the keys, making the first ones where the store has none, reads what has changed, and starts the chores.
    pub fn build(self) -> Result<Arc<Auth>, BuildError> {
        crypto::install()?;
        let master = self.master.ok_or(BuildError::NoMaster)?;
        let counting = master.derive(b"counting failed logins").ok_or(KeyError::Entropy)?;
        let signet = AuditSignet::of(&master).ok_or(KeyError::Entropy)?;
        let throttle = Throttle::new(&counting, self.settings.throttle);
        // read before anything is written: a wrong clock here has had no part in it
        let boot = self.clock.boot_id();
        let (newest, origin) = self.store.read(|tx| {
            let origin = boot.map(|boot| tx.nodes().origin(boot)).transpose()?.flatten();
            Ok((tx.instances().newest()?, origin))
        })?;
        let time = Timekeeper::start(Arc::clone(&self.clock), newest, origin);
        let now = time.now().at;
        let start = Start { newest: newest.unwrap_or(now), at: self.clock.monotonic() };
        let instance = self.store.read(|tx| tx.instances().find())?;
        let drawn = KeyKind::ALL
            .map(|kind| draw(kind, self.settings.algorithm, KeyState::Current, &master, &*self.entropy, now))
            .into_iter()
            .collect::<Result<Vec<_>, _>>()?;
        let events = events(&drawn, now, &*self.entropy, &self.settings.details())?;
        let stored = self.store.read(|tx| tx.keys().all())?;
        let stored = if KeyKind::ALL.iter().all(|kind| stored.iter().any(|key| key.kind == *kind)) {
            stored
        } else {
            bear(&*self.store, &drawn, &events)?
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
        let node = NodeId::new(now, self.entropy.draw().map_err(|_| KeyError::Entropy)?);
        let auth = Arc::new(Auth {
            turns: Turns::new(self.settings.queue.waiting),
            issuer: self.settings.issuer.clone().unwrap_or_else(|| format!("urn:uuid:{}", instance.id)),
            changes: Arc::new(Changes::within(bytes(caches.revocations))),
            tokens: Tokens::within(caches.tokens),
            profiles: Profiles::within(caches.profiles),
            first_uses: FirstUses::within(caches.first_uses),
            api_keys: ApiKeys::within(caches.api_keys),
            sessions: Sessions::within(caches.sessions),
            uses: Uses::starting(start.at, bytes(caches.activity)),
            start,
            refusals: Refusals::within(bytes(caches.denials) / 2),
            guests: Refusals::within(bytes(caches.denials) / 2),
            follower: super::follow::Follower::default(),
            chores: super::chores::Timetable::default(),
            store: self.store,
            clock: self.clock,
            entropy: self.entropy,
            settings: self.settings,
            time,
            keyring,
            signet,
            throttle,
            passwords,
            node,
        });
        auth.store.observe(auth.observer());
        auth.follow().map_err(|error| BuildError::Store(StoreError::Unavailable(error.to_string())))?;
        if self.chores {
            Auth::start_chores(&auth).map_err(|error| BuildError::System(error.to_string()))?;
        }
        Ok(auth)
    }
}

fn bytes(limit: u64) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

fn events(
    drawn: &[StoredKey],
    now: tillgate_domain::Instant,
    entropy: &dyn Entropy,
    details: &Map<String, Value>,
) -> Result<Vec<(KeyId, Event)>, KeyError> {
    let event = |key: &StoredKey| {
        Ok((
            key.id,
            Event {
                id: EventId::new(now, entropy.draw().map_err(|_| KeyError::Entropy)?),
                at: now,
                tenant: None,
                actor: tillgate_domain::Actor::default(),
                action: Action::KeyAdd,
                subject: Subject::Key(key.id),
                outcome: Outcome::Done,
                details: details.clone(),
                approver: None,
            },
        ))
    };
    drawn.iter().map(event).collect()
}

/// The first keys are born: of two processes that start at once, one bears them.
fn bear(store: &dyn AuthStore, drawn: &[StoredKey], events: &[(KeyId, Event)]) -> Result<Vec<StoredKey>, StoreError> {
    store.write(|tx| {
        let (stored, born) = first(tx, drawn)?;
        for (key, event) in events {
            if born.contains(&Lifecycle::Born(*key)) {
                tx.audit().tell(event)?;
                tx.endings().touch(Scope::Keys, event.at)?;
            }
        }
        Ok(stored)
    })
}
