//! Holding back whoever guesses passwords, so that nobody can lock somebody else out.
//!
//! Each account has token buckets. Every wrong password that it has not been tried with for a day takes a token; whoever finds
//! none waits until one comes back. Which bucket a login is counted in depends on what its client shows:
//!
//! - a [proof](PriorSession) that the client has been logged in before: a bucket for each proof;
//! - else a network where the account has logged in before: a bucket for each such network;
//! - else one bucket for all other networks together, and one for each network, whatever accounts are tried from there.
//!
//! So what others send from elsewhere takes no token from a client that shows a proof or comes from a known network.
//!
//! A login is [admitted](Throttle::admit) in its first unit of work, which takes a token, and [settled](Throttle::settle) in its
//! second, which gives the token back unless the password was a new wrong one. Where tokens are out that may come back, the next
//! login waits for its [turn](Turns): a burst gets no more guesses than a queue, and many right logins at once all succeed. Nothing
//! here knows how a password is proved or how a refusal is worded.

mod count_keys;
mod login_queue;
mod rules;

use std::net::IpAddr;
use std::time::Duration;

use tillgate_domain::{DeviceId, FoldedText, Instant, PrincipalId, Secret, StoreResult, TenantId, UserId};

use crate::AuthTx;
use crate::passwords::Lane;
use crate::ports::{Bucket, CountKey, TokenDisposition};

pub(crate) use count_keys::network_prefix;
pub(crate) use count_keys::network_prefix as counted_network;
use count_keys::{AttemptKeys, CountKeyDeriver};
pub use login_queue::{LoginQueue, QueueFull, QueueSlot, Turn};
pub use rules::Rate;
use rules::RateVerdict;

/// The figures of the throttle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThrottleLimits {
    /// Of an account from all networks together where it is not known.
    pub unknown: Rate,
    /// Of an account from each network where it is known.
    pub known: Rate,
    /// Of an account by each proof.
    pub proof: Rate,
    /// Of one network, whatever accounts that are not known there are tried from it.
    pub network: Rate,
    /// How many wrong passwords within [`GUESS_MEMORY`] make a proof count for nothing for as long again.
    pub proof_bound: u32,
    /// In how many networks an account is known at a time: those of its latest successes.
    pub known_networks: u32,
    /// How long a network stays known after a success there.
    pub known_for: Duration,
    /// How often at most a success in a known network is noted.
    pub success_record_interval: Duration,
    /// After how long an attempt that is still open has spent its token: its process is gone.
    pub abandoned_after: Duration,
}

impl Default for ThrottleLimits {
    fn default() -> Self {
        Self {
            unknown: Rate { burst: 10, refill_interval: Duration::from_mins(16) },
            known: Rate { burst: 50, refill_interval: Duration::from_mins(1) },
            proof: Rate { burst: 5, refill_interval: Duration::from_secs(5) },
            network: Rate { burst: 50, refill_interval: Duration::from_mins(1) },
            proof_bound: 100,
            known_networks: 4,
            known_for: Duration::from_hours(90 * 24),
            success_record_interval: Duration::from_hours(24),
            abandoned_after: Duration::from_secs(30),
        }
    }
}

impl ThrottleLimits {
    /// How long a bucket is kept that nothing touches: until it is full, whatever was taken, and bars nobody.
    pub fn bucket_retention(&self) -> Duration {
        let whole = [self.unknown, self.known, self.proof, self.network].map(Rate::full_refill_time);
        whole.into_iter().max().unwrap_or_default().max(GUESS_MEMORY).saturating_mul(2)
    }
}

/// How long a wrong password is remembered: tried again within it, it takes no token.
pub const GUESS_MEMORY: Duration = Duration::from_hours(24);

/// Who a login claims to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimedIdentity {
    /// Somebody whom the store has.
    Principal(PrincipalId),
    /// Nobody whom the store has. It is counted alike.
    Unknown {
        /// In which tenant, where it was named and is there.
        tenant: Option<TenantId>,
        /// Under which name.
        name: FoldedText,
    },
}

/// What a client shows that has been logged in before: of whose session it holds a refresh token. All sessions of one user on one
/// device are one proof, so that nobody collects proofs by logging in often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriorSession {
    /// The user of the session.
    pub user: Option<UserId>,
    /// The device of the session.
    pub device: Option<DeviceId>,
}

/// A login before its password is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginAttempt {
    /// Who it claims to be.
    pub identity: ClaimedIdentity,
    /// On which device; `None` in the office and on a device that is not there.
    pub device: Option<DeviceId>,
    /// From which address; `None` where there is none, as on a local socket.
    pub address: Option<IpAddr>,
    /// What the client shows, where it is of this user or this device.
    pub find_prior_session: Option<PriorSession>,
    /// The password.
    pub password: Secret<String>,
}

/// What comes of an attempt.
#[derive(Clone, Debug)]
pub enum Admission {
    /// Look at the password, then [settle](Throttle::settle) the charge, whatever comes of it.
    Admitted(Box<Charge>),
    /// Others are being looked at: wait for this turn in [`Turns`], then ask again.
    Wait(Turn),
    /// Held back: no token is left.
    RateLimited {
        /// When the next one comes back.
        retry_after: Duration,
    },
}

/// By what an attempt is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BucketClass {
    Proof,
    Known,
    Unknown,
}

/// A bucket that an attempt takes a token from.
#[derive(Clone, Copy, Debug)]
struct TakenToken {
    key: CountKey,
    rate: Rate,
    /// Whether the bucket is one of the principal's.
    own: bool,
}

/// An attempt that was admitted. It is to be settled once.
#[must_use = "a charge that is not settled has spent its token"]
#[derive(Clone, Debug)]
pub struct Charge {
    names: AttemptKeys,
    principal: Option<PrincipalId>,
    class: BucketClass,
    /// From which buckets it holds a token, in the order in which all attempts take them.
    tokens: Vec<TakenToken>,
    recorded_at: Option<Instant>,
}

impl Charge {
    /// Whether the client shows a proof or comes from a known network: it then goes first wherever there is a queue.
    pub fn is_known(&self) -> bool {
        self.class != BucketClass::Unknown
    }

    /// In which lane its password waits to be hashed, and it for its turn.
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

/// How an admitted attempt went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// The password was wrong, or right for a login that is refused as if it had been wrong.
    Failed,
    /// The password was right.
    Succeeded,
    /// Nobody looked at the password: the queue was full, the store failed. It was no guess.
    Withdrawn,
}

/// The throttle.
#[derive(Debug)]
pub struct Throttle {
    limits: ThrottleLimits,
    key_deriver: CountKeyDeriver,
}

/// How often an attempt that loses its token to another process is judged again before it waits for a turn.
const MAX_TAKE_ATTEMPTS: u32 = 16;

impl Throttle {
    /// A throttle under a key that every process over the store has in common: what is counted under one key is unknown to
    /// another.
    pub fn new(key: &[u8; 32], limits: ThrottleLimits) -> Self {
        Self { limits, key_deriver: CountKeyDeriver::new(key) }
    }

    /// Decides on an attempt, and takes its tokens where it is admitted. It writes: it belongs into a unit of work that may.
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
        // only a proof counts for nothing
        Ok(Admission::Wait(charge.turn(charge.names.unknown, attempt.address)))
    }

    /// Where an attempt comes from, without a token: for a login whose password was not guessed. It may be settled like any other.
    pub fn classify(&self, tx: &mut (dyn AuthTx + '_), attempt: &LoginAttempt, now: Instant) -> StoreResult<Charge> {
        let names = self.key_deriver.derive_keys(attempt);
        let noted = tx.known_networks().find(names.owner, &names.known_network)?;
        // what was noted before networks were places counts for as long as it was to be kept
        let known = match noted {
            Some(noted) => Some(noted),
            None => tx.known_networks().find(names.owner, &names.legacy_place)?,
        };
        let known = known.is_some_and(|known| now.duration_since(known) <= self.limits.known_for);
        let principal = match &attempt.identity {
            ClaimedIdentity::Principal(principal) => Some(*principal),
            ClaimedIdentity::Unknown { .. } => None,
        };
        let class = if known { BucketClass::Known } else { BucketClass::Unknown };
        Ok(Charge { names, principal, class, tokens: Vec::new(), recorded_at: noted })
    }

    /// Settles an admitted attempt, and says whether it was a wrong password that counts: not one that is remembered. After the
    /// commit, tell [`Turns::settled`].
    pub fn settle_charge(
        &self,
        tx: &mut (dyn AuthTx + '_),
        charge: &Charge,
        outcome: AttemptOutcome,
        now: Instant,
    ) -> StoreResult<bool> {
        let first = charge.tokens.first().map(|taken| taken.key);
        let counts = match (outcome, first) {
            (AttemptOutcome::Failed, Some(key)) => {
                tx.attempts().record_guess(key, &charge.names.guess, now.saturating_sub(GUESS_MEMORY), now)?
            }
            _ => false,
        };
        for taken in &charge.tokens {
            let how =
                if counts { TokenDisposition::Spent } else { TokenDisposition::Returned(taken.rate.refill_interval) };
            tx.attempts().settle(taken.key, how, now)?;
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

    /// Fills the bucket of the network of this address, which everybody shares who is not known there. True where tokens were taken
    /// of it. Buckets of accounts stay as they are.
    pub fn refill_network(&self, tx: &mut (dyn AuthTx + '_), address: IpAddr) -> StoreResult<bool> {
        tx.attempts().refill(self.key_deriver.network_of(address))
    }

    /// A short text that stands for who is claimed: the same for the same name, and nothing that the name can be read from.
    pub fn trace_id(&self, who: &ClaimedIdentity) -> String {
        self.key_deriver.trace_id(who)
    }

    fn select_buckets(&self, charge: &Charge) -> Vec<TakenToken> {
        let (names, limits) = (&charge.names, &self.limits);
        let own = |key, rate| TakenToken { key, rate, own: true };
        let network = names.network.map(|key| TakenToken { key, rate: limits.network, own: false });
        match charge.class {
            BucketClass::Proof => names.proof.map(|key| own(key, limits.proof)).into_iter().collect(),
            BucketClass::Known => vec![own(names.known, limits.known)],
            BucketClass::Unknown => [Some(own(names.unknown, limits.unknown)), network].into_iter().flatten().collect(),
        }
    }

    /// Takes the tokens, or says why not; `None` where the proof counts for nothing.
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
            let stands: Vec<(Rate, Bucket)> =
                charge.tokens.iter().zip(buckets).map(|(taken, bucket)| (taken.rate, bucket)).collect();
            if let (BucketClass::Proof, [(_, bucket)], [key]) = (charge.class, &stands[..], &keys[..]) {
                let spent = tx.attempts().count_guesses(*key, now.saturating_sub(GUESS_MEMORY))?;
                match rules::check_proof(&self.limits, bucket, spent, now) {
                    rules::ProofState::Valid => {}
                    rules::ProofState::MayBeSpent => return turn(*key),
                    rules::ProofState::Spent => return Ok(None),
                }
            }
            match rules::check_buckets(&self.limits, &stands, now) {
                RateVerdict::Admit if self.take_tokens(tx, charge, &stands, now)? => {
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

    /// Takes a token of each bucket, or none where another process was faster with one.
    fn take_tokens(
        &self,
        tx: &mut (dyn AuthTx + '_),
        charge: &Charge,
        stands: &[(Rate, Bucket)],
        now: Instant,
    ) -> StoreResult<bool> {
        let whose = charge.principal.map(PrincipalId::uuid);
        for (index, (taken, (rate, from))) in charge.tokens.iter().zip(stands).enumerate() {
            let to = rules::take_token(&self.limits, *rate, from, now);
            if !tx.attempts().take_token(taken.key, whose.filter(|_| taken.own), from, &to, now)? {
                for before in charge.tokens.iter().take(index) {
                    tx.attempts().settle(before.key, TokenDisposition::Returned(before.rate.refill_interval), now)?;
                }
                return Ok(false);
            }
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
