//! Holding back whoever guesses passwords, without holding back a till for what others guess.
//!
//! Failures are counted per (principal, place), per address and per principal. A login is [admitted](Throttle::admit) in its
//! first unit of work, which opens a charge on each count, and [settled](Throttle::settle) in its second, which closes it. An
//! open charge refuses nobody: where it might turn out to be one guess too many, the next waits for its [turn](Turns). So a
//! burst gets no more guesses than a queue. Nothing here knows how a password is proved or how a refusal is worded.
//!
//! A principal that has succeeded at a place is known there: only what fails at that very place holds it back there, and half a
//! minute at most. What a known place fails counts for the address and the principal too, but it opens no charge on them: the
//! tills of a shop do not queue up behind one row of the store.

mod keys;
mod rules;
mod turns;

use std::net::IpAddr;
use std::time::Duration;

use tillgate_domain::{DeviceId, Folded, Instant, PrincipalId, Stored, TenantId};

use crate::AuthTx;
use crate::ports::{Count, CountKey, Settled};

pub(crate) use keys::network;
use keys::{Keyring, Names};
use rules::{Counts, Verdict};
pub use turns::{NoRoom, Spot, Turns};

/// The figures of the throttle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThrottleLimits {
    /// How many failures in a row of one principal at one place are free.
    pub free_at_place: u32,
    /// How many failures of one address are free.
    pub free_of_address: u32,
    /// How many failures in a row of one principal, wherever, stop it at places where it is not known.
    pub stop: u32,
    /// What the first failure that is not free costs; each further one costs twice as much.
    pub first_wait: Duration,
    /// What a failure costs at most.
    pub longest_wait: Duration,
    /// What a failure costs at most at a known place.
    pub longest_known_wait: Duration,
    /// How long a place stays known after a success there.
    pub known_for: Duration,
    /// How often at most a success at a known place is noted.
    pub note_every: Duration,
    /// After how long a charge that is still open counts as a failure: its process is gone.
    pub abandoned_after: Duration,
}

impl Default for ThrottleLimits {
    fn default() -> Self {
        Self {
            free_at_place: 5,
            free_of_address: 50,
            stop: 100,
            first_wait: Duration::from_secs(1),
            longest_wait: Duration::from_mins(5),
            longest_known_wait: Duration::from_secs(30),
            known_for: Duration::from_hours(90 * 24),
            note_every: Duration::from_hours(24),
            abandoned_after: Duration::from_secs(30),
        }
    }
}

/// Who a login claims to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// Somebody whom the store has.
    Principal(PrincipalId),
    /// Nobody whom the store has. It is counted alike.
    Unknown {
        /// In which tenant, where it was named and is there.
        tenant: Option<TenantId>,
        /// Under which name.
        name: Folded,
    },
}

/// A login before its password is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Who it claims to be.
    pub who: Claimed,
    /// On which device; `None` in the office and on a device that is not there.
    pub device: Option<DeviceId>,
    /// From which address; `None` where there is none, as on a local socket.
    pub address: Option<IpAddr>,
}

/// What comes of an attempt.
#[derive(Clone, Debug)]
pub enum Admission {
    /// Look at the password, then [settle](Throttle::settle) the charge, whatever comes of it.
    Admitted(Charge),
    /// Others are being looked at: wait for a turn under this key in [`Turns`], then ask again.
    Turn(CountKey),
    /// Held back by failures that stand.
    Held {
        /// When to come again. It bears some jitter, so that not all come at once.
        retry_after: Duration,
    },
    /// Too many failures in a row: a new password or an administrator lets the principal go.
    Stopped,
}

/// An attempt that was admitted. It is to be settled once.
#[must_use = "a charge that is not settled counts as a failure after a while"]
#[derive(Clone, Debug)]
pub struct Charge {
    names: Names,
    principal: Option<PrincipalId>,
    known: bool,
    noted: Option<Instant>,
}

impl Charge {
    /// Whether the principal is known at the place: it then goes first wherever there is a queue.
    pub fn known(&self) -> bool {
        self.known
    }

    fn keys(&self) -> impl Iterator<Item = CountKey> {
        self.names.charged(self.known).into_iter()
    }
}

/// How an admitted attempt went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
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
    keyring: Keyring,
}

/// How often an attempt that loses its charge to another process is judged again before it waits for a turn.
const TRIES: u32 = 16;

impl Throttle {
    /// A throttle under a key that every process over the store has in common: what is counted under one key is unknown to
    /// another.
    pub fn new(key: &[u8; 32], limits: ThrottleLimits) -> Self {
        Self { limits, keyring: Keyring::new(key) }
    }

    /// Decides on an attempt, and opens its charges where it is admitted. It writes: it belongs into a unit of work that may.
    /// `jitter` is a random byte.
    pub fn admit(&self, tx: &mut (dyn AuthTx + '_), attempt: &Attempt, now: Instant, jitter: u8) -> Stored<Admission> {
        let names = self.keyring.names(attempt);
        let noted = tx.places().find(names.whose, &names.place)?;
        let known = noted.is_some_and(|noted| now.since(noted) <= self.limits.known_for);
        let principal = match &attempt.who {
            Claimed::Principal(principal) => Some(*principal),
            Claimed::Unknown { .. } => None,
        };
        let charge = Charge { names, principal, known, noted };
        for _ in 0..TRIES {
            let counts = self.counts(tx, &charge, now)?;
            match rules::judge(&self.limits, &counts, known, now) {
                Verdict::Admit if open(tx, &charge, &counts, now)? => return Ok(Admission::Admitted(charge)),
                Verdict::Admit => {}
                Verdict::Turn(which) => return Ok(Admission::Turn(charge.names.key(which))),
                Verdict::Held(wait) => return Ok(Admission::Held { retry_after: rules::jittered(wait, jitter) }),
                Verdict::Stopped => return Ok(Admission::Stopped),
            }
        }
        Ok(Admission::Turn(charge.names.pair))
    }

    /// Closes the charges of an admitted attempt. After the commit, tell [`Turns::settled`].
    pub fn settle(&self, tx: &mut (dyn AuthTx + '_), charge: &Charge, outcome: Outcome, now: Instant) -> Stored<()> {
        let how = match outcome {
            Outcome::Failed => Settled::Failed,
            Outcome::Succeeded => Settled::Succeeded,
            Outcome::Withdrawn => Settled::Returned,
        };
        // What guesses from an address do not undo each other: a success of one principal says nothing of the rest.
        let of_address = if how == Settled::Succeeded { Settled::Returned } else { how };
        let names = &charge.names;
        tx.attempts().settle(names.pair, how, now)?;
        let others = [Some((names.principal, how)), names.address.map(|address| (address, of_address))];
        for (key, how) in others.into_iter().flatten() {
            if charge.known {
                count_apart(tx, charge, key, how, now)?;
            } else {
                tx.attempts().settle(key, how, now)?;
            }
        }
        if outcome == Outcome::Succeeded
            && let Some(principal) = charge.principal
            && rules::is_to_note(&self.limits, charge.noted, now)
        {
            tx.places().note(principal.uuid(), &names.place, now)?;
        }
        Ok(())
    }

    /// What stands on the counts that hold the attempt back. Charges of a process that is gone become failures on the way.
    fn counts(&self, tx: &mut (dyn AuthTx + '_), charge: &Charge, now: Instant) -> Stored<Counts> {
        let keys: Vec<CountKey> = charge.keys().collect();
        let mut counts = tx.attempts().counts(&keys)?;
        let mut abandoned = false;
        for (key, count) in keys.iter().zip(&counts) {
            if let Some(opened_at) = rules::abandoned(&self.limits, count, now) {
                abandoned = true;
                for _ in 0..count.open {
                    tx.attempts().settle(*key, Settled::Failed, opened_at)?;
                }
            }
        }
        if abandoned {
            counts = tx.attempts().counts(&keys)?;
        }
        let mut counts = counts.into_iter();
        let mut next = || counts.next().unwrap_or_default();
        Ok(Counts { pair: next(), principal: next(), address: next() })
    }
}

/// Opens the charges, or none of them where another process was faster with one.
fn open(tx: &mut (dyn AuthTx + '_), charge: &Charge, counts: &Counts, now: Instant) -> Stored<bool> {
    let whose = charge.principal.map(PrincipalId::uuid);
    let froms = [(&counts.pair, whose), (&counts.principal, whose), (&counts.address, None)];
    let mut opened = Vec::with_capacity(froms.len());
    for (key, (from, whose)) in charge.keys().zip(froms) {
        if !tx.attempts().charge(key, whose, from, now)? {
            for key in opened {
                tx.attempts().settle(key, Settled::Returned, now)?;
            }
            return Ok(false);
        }
        opened.push(key);
    }
    Ok(true)
}

/// Counts a failure or a success where no charge was opened.
fn count_apart(tx: &mut (dyn AuthTx + '_), charge: &Charge, key: CountKey, how: Settled, now: Instant) -> Stored<()> {
    let whose = charge.principal.map(PrincipalId::uuid).filter(|_| key == charge.names.principal);
    for _ in 0..TRIES {
        let count: Count = tx.attempts().counts(&[key])?.into_iter().next().unwrap_or_default();
        let changes = match how {
            Settled::Failed => true,
            Settled::Succeeded => count.failures > 0,
            Settled::Returned => false,
        };
        if !changes {
            return Ok(());
        }
        // Opened and closed at once: the charges of others stay as they are.
        if tx.attempts().charge(key, whose, &count, now)? {
            return tx.attempts().settle(key, how, now);
        }
    }
    // Sixteen others were faster, one after the other. The failure is counted all the same; it may close a charge of another,
    // which then closes none.
    tx.attempts().settle(key, how, now)
}

#[cfg(test)]
mod tests;
