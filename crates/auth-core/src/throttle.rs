//! The rate limit of failed logins: it slows down password guessing without letting an attacker
//! lock out others.
//!
//! Each account has token buckets. A wrong password takes a token, unless the same password was
//! tried within the last day; a login that finds no token is denied until one refills. The bucket
//! of a login depends on what its client shows:
//!
//! - a [proof](PriorSession) that the client was logged in before: a bucket for each proof;
//! - otherwise, a network in which the account has logged in before: a bucket for each such
//!   network;
//! - otherwise, one bucket for all other networks together, and one for each network, shared by all
//!   accounts.
//!
//! Attempts from elsewhere therefore take no token from a client with a proof or in a known
//! network.
//!
//! The first unit of work of a login [opens a charge](Throttle::open_charge), which takes a token.
//! The second [settles](Throttle::settle_charge) it, which returns the token unless the password
//! was wrong for the first time that day. If the missing tokens may still be returned, the next
//! login waits for its [turn](LoginQueue): concurrent attempts get no more guesses than sequential
//! ones, and many correct logins at once all succeed. This module knows neither how a password is
//! checked nor how a denial is reported.

mod count_keys;
mod login_queue;
mod network_charge;
mod pins;
mod rules;
mod status;

use std::net::IpAddr;
use std::time::Duration;

use tillgate_domain::{DeviceId, FoldedText, Instant, PrincipalId, Secret, StoreResult, TenantId, UserId};
use uuid::Uuid;

use crate::AuthTx;
use crate::passwords::Lane;
use crate::ports::{Bucket, CountKey, TokenDisposition};

use count_keys::{AttemptKeys, CountKeyDeriver};
pub use login_queue::{LoginQueue, QueueFull, QueueSlot, Turn};
pub use pins::{PinAttempt, PinLimits};
pub use rules::BucketRate;
use rules::RateVerdict;
pub use status::LoginThrottle;

/// The limits of the throttle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThrottleLimits {
    /// The bucket of an account for all unknown networks together.
    pub unknown: BucketRate,
    /// The bucket of an account for each known network.
    pub known: BucketRate,
    /// The bucket of an account for each proof.
    pub proof: BucketRate,
    /// The bucket of a network, for all accounts to which it is unknown.
    pub network: BucketRate,
    /// The bucket of a network for machines that start to wait for their acceptance.
    pub starts: BucketRate,
    /// The bucket of a principal for codes of machines that they type, and that are not known.
    pub user_codes: BucketRate,
    /// The bucket of a network for such codes, for all principals.
    pub user_code_network: BucketRate,
    /// The limits of wrong PINs on tills.
    pub pins: PinLimits,
    /// The number of wrong passwords within [`GUESS_MEMORY`] that makes a proof worthless for as
    /// long again.
    pub proof_bound: u32,
    /// The number of known networks of an account; the ones with the newest logins are kept.
    pub known_networks: u32,
    /// How long a network stays known after a login.
    pub known_for: Duration,
    /// How often, at most, a login in a known network is recorded.
    pub success_record_interval: Duration,
    /// The age at which an open attempt counts as failed, because its process has probably stopped.
    pub abandoned_after: Duration,
}

impl Default for ThrottleLimits {
    fn default() -> Self {
        Self {
            unknown: BucketRate { burst: 10, refill_interval: Duration::from_mins(16) },
            known: BucketRate { burst: 50, refill_interval: Duration::from_mins(1) },
            proof: BucketRate { burst: 5, refill_interval: Duration::from_secs(5) },
            network: BucketRate { burst: 50, refill_interval: Duration::from_mins(1) },
            starts: BucketRate { burst: 50, refill_interval: Duration::from_mins(1) },
            user_codes: BucketRate { burst: 10, refill_interval: Duration::from_mins(1) },
            user_code_network: BucketRate { burst: 50, refill_interval: Duration::from_mins(1) },
            pins: PinLimits::default(),
            proof_bound: 100,
            known_networks: 4,
            known_for: Duration::from_hours(90 * 24),
            success_record_interval: Duration::from_hours(24),
            abandoned_after: Duration::from_secs(30),
        }
    }
}

impl ThrottleLimits {
    /// How long an unused bucket is kept: until it is full and blocks nothing, whatever was taken
    /// from it. The counts of wrong PINs are kept longer: until they are full.
    pub fn bucket_retention(&self) -> Duration {
        let logins = [self.unknown, self.known, self.proof, self.network];
        let codes = [self.starts, self.user_codes, self.user_code_network, self.pins.till];
        let whole = logins.into_iter().chain(codes).map(BucketRate::full_refill_time);
        whole.max().unwrap_or_default().max(GUESS_MEMORY).saturating_mul(2)
    }
}

/// How long a wrong password is remembered. Repeating it within this time takes no token.
pub const GUESS_MEMORY: Duration = Duration::from_hours(24);

/// The identity that a login claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimedIdentity {
    /// A user or device in the store.
    Principal(PrincipalId),
    /// A name that is not in the store. It is counted in the same way.
    Unknown {
        /// The tenant, if the login names an existing one.
        tenant: Option<TenantId>,
        /// The claimed name, folded.
        name: FoldedText,
    },
}

/// Proof that a client was logged in before: the user and device of the session whose refresh token
/// it has. All sessions of one user on one device are one proof, so that nobody can collect proofs
/// by logging in often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriorSession {
    /// The user of the session.
    pub user: Option<UserId>,
    /// The device of the session.
    pub device: Option<DeviceId>,
}

/// A login before its password is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginAttempt {
    /// The identity that it claims.
    pub identity: ClaimedIdentity,
    /// The device on which it logs in; `None` without a device or for an unknown one.
    pub device: Option<DeviceId>,
    /// The network address; `None` if there is none, as on a local socket.
    pub address: Option<IpAddr>,
    /// The proof that its client was logged in before as this user or on this device.
    pub prior_session: Option<PriorSession>,
    /// The password in plain text.
    pub password: Secret<String>,
}

/// The decision about an attempt.
#[derive(Clone, Debug)]
pub enum Admission {
    /// Check the password, then [settle](Throttle::settle_charge) the charge, whatever the result
    /// is.
    Admitted(Box<Charge>),
    /// Other attempts are being checked: wait for this turn in the [`LoginQueue`], then try again.
    Wait(Turn),
    /// No token is left.
    RateLimited {
        /// The time until the next token refills.
        retry_after: Duration,
    },
}

/// The class of buckets that an attempt takes its tokens from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BucketClass {
    Proof,
    Known,
    Unknown,
    /// A PIN on a till.
    Pin,
}

/// A bucket from which an attempt has taken a token.
#[derive(Clone, Copy, Debug)]
struct TakenToken {
    key: CountKey,
    rate: BucketRate,
    /// Whether the bucket belongs to the principal.
    is_own: bool,
    /// The buckets that are refilled together, unless they belong to a principal: those of all
    /// tenants for a network, or those of all users on a till.
    group: Option<Uuid>,
}

/// The tokens of an admitted attempt. Settle each charge once.
#[must_use = "a charge that is not settled keeps its token"]
#[derive(Clone, Debug)]
pub struct Charge {
    names: AttemptKeys,
    principal: Option<PrincipalId>,
    class: BucketClass,
    /// The buckets whose tokens it has taken, in the order in which all attempts take them.
    tokens: Vec<TakenToken>,
    recorded_at: Option<Instant>,
}

impl Charge {
    /// Whether the client shows a proof or comes from a known network; its attempt then has
    /// priority in queues.
    pub fn is_known(&self) -> bool {
        self.class != BucketClass::Unknown
    }

    /// The lane in which the attempt waits for its turn and its password for the hash.
    pub fn lane(&self) -> Lane {
        if self.is_known() { Lane::Known } else { Lane::Stranger }
    }

    fn turn(&self, key: CountKey, address: Option<IpAddr>) -> Turn {
        Turn { key, lane: self.lane(), address }
    }

    fn keys(&self) -> impl Iterator<Item = CountKey> {
        self.tokens.iter().map(|taken| taken.key)
    }
}

/// The outcome of an admitted attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// The password was wrong, or it was right for a login whose denial looks like a wrong
    /// password.
    Failed,
    /// The password was right.
    Succeeded,
    /// The password was not checked, because the queue was full or the store failed.
    Withdrawn,
}

/// The rate limit of failed logins; see the [module](self).
#[derive(Debug)]
pub struct Throttle {
    limits: ThrottleLimits,
    key_deriver: CountKeyDeriver,
}

/// How often an attempt that loses its token to another process is decided again before it waits
/// for a turn.
const MAX_TAKE_ATTEMPTS: u32 = 16;

impl Throttle {
    /// A throttle whose digests use this key. All processes over a store need the same key to share
    /// their counts.
    pub fn new(key: &[u8; 32], limits: ThrottleLimits) -> Self {
        Self { limits, key_deriver: CountKeyDeriver::new(key) }
    }

    /// Decides about an attempt and takes its tokens if it is admitted. Requires a unit of work
    /// that may write.
    pub fn open_charge(
        &self,
        tx: &mut (dyn AuthTx + '_),
        attempt: &LoginAttempt,
        now: Instant,
    ) -> StoreResult<Admission> {
        let mut charge = self.classify(tx, attempt, now)?;
        let known = charge.class;
        for class in charge.names.proof.map(|_| BucketClass::Proof).into_iter().chain([known]) {
            charge.class = class;
            charge.tokens = self.select_buckets(&charge);
            if let Some(admission) = self.try_take_tokens(tx, &charge, attempt.address, now)? {
                return Ok(admission);
            }
        }
        // Not reached: only a proof can be worthless.
        Ok(Admission::Wait(charge.turn(charge.names.unknown, attempt.address)))
    }

    /// Determines the class of an attempt without taking a token, for a login whose password is not
    /// a guess. The charge may be settled like any other.
    pub fn classify(&self, tx: &mut (dyn AuthTx + '_), attempt: &LoginAttempt, now: Instant) -> StoreResult<Charge> {
        let names = self.key_deriver.derive_keys(attempt);
        let recorded_at = tx.known_networks().find(names.owner, &names.known_network)?;
        // Earlier versions recorded devices and addresses; their records count until they expire.
        let known = match recorded_at {
            Some(recorded_at) => Some(recorded_at),
            None => tx.known_networks().find(names.owner, &names.legacy_place)?,
        };
        let known = known.is_some_and(|known| now.duration_since(known) <= self.limits.known_for);
        let principal = match &attempt.identity {
            ClaimedIdentity::Principal(principal) => Some(*principal),
            ClaimedIdentity::Unknown { .. } => None,
        };
        let class = if known { BucketClass::Known } else { BucketClass::Unknown };
        Ok(Charge { names, principal, class, tokens: Vec::new(), recorded_at })
    }

    /// Settles a charge. Returns whether the attempt counts as a new wrong password. After the
    /// commit, call [`LoginQueue::notify_settled`].
    pub fn settle_charge(
        &self,
        tx: &mut (dyn AuthTx + '_),
        charge: &Charge,
        outcome: AttemptOutcome,
        now: Instant,
    ) -> StoreResult<bool> {
        if charge.class == BucketClass::Pin {
            return self.settle_pin(tx, charge, outcome, now);
        }
        let first = charge.tokens.first().map(|taken| taken.key);
        let counts = match (outcome, first) {
            (AttemptOutcome::Failed, Some(key)) => {
                tx.attempts().record_guess(key, &charge.names.guess, now.saturating_sub(GUESS_MEMORY), now)?
            }
            _ => false,
        };
        for taken in &charge.tokens {
            let disposition =
                if counts { TokenDisposition::Spent } else { TokenDisposition::Returned(taken.rate.refill_interval) };
            tx.attempts().settle(taken.key, disposition, now)?;
        }
        if let (true, BucketClass::Proof, Some(key)) = (counts, charge.class, first) {
            let spent = tx.attempts().count_guesses(key, now.saturating_sub(GUESS_MEMORY))?;
            if spent >= self.limits.proof_bound {
                tx.attempts().block(key, now.saturating_add(GUESS_MEMORY))?;
            }
        }
        if outcome == AttemptOutcome::Succeeded
            && let Some(principal) = charge.principal
            && rules::should_record_success(&self.limits, charge.recorded_at, now)
        {
            tx.known_networks().record_success(principal.uuid(), &charge.names.known_network, now)?;
            if charge.recorded_at.is_none() {
                tx.known_networks().trim(principal.uuid(), self.limits.known_networks)?;
            }
        }
        Ok(counts)
    }

    /// Refills the buckets of the network of this address: the one that all accounts share to which
    /// the network is unknown, and those of all tenants for machines that wait and for their codes.
    /// Returns whether one was stored. The buckets of accounts stay as they are.
    pub fn refill_network(&self, tx: &mut (dyn AuthTx + '_), address: IpAddr) -> StoreResult<bool> {
        let keys = &self.key_deriver;
        let mut refilled = tx.attempts().clear_failed_logins(keys.machines_in(address))? > 0;
        for key in [keys.network_of(address), keys.refused_starts_in(address)] {
            refilled |= tx.attempts().refill(key)?;
        }
        Ok(refilled)
    }

    /// A short text that stands for the claimed identity: the same for the same name, without
    /// revealing it.
    pub fn trace_id(&self, who: &ClaimedIdentity) -> String {
        self.key_deriver.trace_id(who)
    }

    fn select_buckets(&self, charge: &Charge) -> Vec<TakenToken> {
        let (names, limits) = (&charge.names, &self.limits);
        let own_bucket = |key, rate| TakenToken { key, rate, is_own: true, group: None };
        let shared_bucket = |key| TakenToken { key, rate: limits.network, is_own: false, group: None };
        let network = names.network.map(shared_bucket);
        match charge.class {
            BucketClass::Proof => names.proof.map(|key| own_bucket(key, limits.proof)).into_iter().collect(),
            BucketClass::Known => vec![own_bucket(names.known, limits.known)],
            BucketClass::Unknown => {
                [Some(own_bucket(names.unknown, limits.unknown)), network].into_iter().flatten().collect()
            }
            // a PIN has its buckets from the beginning
            BucketClass::Pin => charge.tokens.clone(),
        }
    }

    /// Takes the tokens of a charge, or returns why not; `None` if its proof is worthless.
    fn try_take_tokens(
        &self,
        tx: &mut (dyn AuthTx + '_),
        charge: &Charge,
        address: Option<IpAddr>,
        now: Instant,
    ) -> StoreResult<Option<Admission>> {
        let turn = |key| Ok(Some(Admission::Wait(charge.turn(key, address))));
        let keys: Vec<CountKey> = charge.keys().collect();
        for _ in 0..MAX_TAKE_ATTEMPTS {
            let buckets = tx.attempts().find_buckets(&keys)?;
            let buckets_now: Vec<(BucketRate, Bucket)> =
                charge.tokens.iter().zip(buckets).map(|(taken, bucket)| (taken.rate, bucket)).collect();
            if let (BucketClass::Proof, [(_, bucket)], [key]) = (charge.class, &buckets_now[..], &keys[..]) {
                let spent = tx.attempts().count_guesses(*key, now.saturating_sub(GUESS_MEMORY))?;
                match rules::check_proof(&self.limits, bucket, spent, now) {
                    rules::ProofState::Valid => {}
                    rules::ProofState::MayBeSpent => return turn(*key),
                    rules::ProofState::Spent => return Ok(None),
                }
            }
            let verdict = match charge.class {
                BucketClass::Pin => self.check_pin_buckets(&buckets_now, now),
                _ => rules::check_buckets(&self.limits, &buckets_now, now),
            };
            match verdict {
                RateVerdict::Admit if self.take_tokens(tx, charge, &buckets_now, now)? => {
                    return Ok(Some(Admission::Admitted(Box::new(charge.clone()))));
                }
                RateVerdict::Admit => {}
                RateVerdict::Wait(index) => {
                    return turn(keys.get(index).copied().unwrap_or(charge.names.unknown));
                }
                RateVerdict::RateLimited(retry_after) => return Ok(Some(Admission::RateLimited { retry_after })),
            }
        }
        turn(keys.first().copied().unwrap_or(charge.names.unknown))
    }

    /// Takes a token from each bucket. Takes none and returns false if another process has changed
    /// one of them.
    fn take_tokens(
        &self,
        tx: &mut (dyn AuthTx + '_),
        charge: &Charge,
        buckets_now: &[(BucketRate, Bucket)],
        now: Instant,
    ) -> StoreResult<bool> {
        let principal = charge.principal.map(PrincipalId::uuid);
        for (index, (taken, (rate, from))) in charge.tokens.iter().zip(buckets_now).enumerate() {
            let to = rules::take_token(&self.limits, *rate, from, now);
            let owner = taken.group.or(principal.filter(|_| taken.is_own));
            if !tx.attempts().take_token(taken.key, owner, from, &to, now)? {
                for before in charge.tokens.iter().take(index) {
                    tx.attempts().settle(before.key, TokenDisposition::Returned(before.rate.refill_interval), now)?;
                }
                return Ok(false);
            }
        }
        Ok(true)
    }
}
