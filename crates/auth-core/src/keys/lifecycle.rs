//! The life of a key: born, next, current, kept, gone. Rules over the ports; who calls them opens the unit of work and tells the
//! audit.

use std::time::Duration;

use tillgate_domain::{Instant, KeyId, Stored};

use crate::ports::{AuthTx, KeyKind, KeyState, StoredKey};
use crate::terms::LONGEST_ACCESS;

/// How long a signing key is trusted after its last token was made: its life, and an hour for clocks that differ.
const TRUSTED: Duration = LONGEST_ACCESS.saturating_add(Duration::from_hours(1));

/// What happened to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifecycle {
    /// It was made.
    Born(KeyId),
    /// It came into use.
    Used(KeyId),
    /// It is no longer trusted, nor kept.
    Gone(KeyId),
}

/// Where the store has no key of a kind, the candidate of that kind is born into use. Says which keys there are then.
pub(crate) fn first(tx: &mut dyn AuthTx, candidates: &[StoredKey]) -> Stored<(Vec<StoredKey>, Vec<Lifecycle>)> {
    let mut born = Vec::new();
    let there = tx.keys().all()?;
    for candidate in candidates {
        let missing = !there.iter().any(|key| key.kind == candidate.kind);
        if missing && tx.keys().insert(candidate)? {
            born.push(Lifecycle::Born(candidate.id));
        }
    }
    Ok((tx.keys().all()?, born))
}

/// Adds the drawn keys: each as the next of its kind, or at once in place of the current one.
pub(crate) fn rotate(tx: &mut dyn AuthTx, drawn: &[StoredKey], at_once: bool, now: Instant) -> Stored<Vec<Lifecycle>> {
    let mut happened = Vec::new();
    for key in drawn {
        let mut key = key.clone();
        key.state = KeyState::Next;
        if tx.keys().insert(&key)? {
            happened.push(Lifecycle::Born(key.id));
            if at_once {
                happened.extend(take_over(tx, &key, now)?);
            }
        }
    }
    Ok(happened)
}

/// Puts those next keys into use that have waited for `lead` and that `read` says every live process has read.
pub(crate) fn promote(
    tx: &mut dyn AuthTx,
    lead: Duration,
    read: &dyn Fn(KeyId) -> bool,
    now: Instant,
) -> Stored<Vec<Lifecycle>> {
    let mut happened = Vec::new();
    for key in tx.keys().all()? {
        if key.state == KeyState::Next && key.since.after(lead) <= now && read(key.id) {
            happened.extend(take_over(tx, &key, now)?);
        }
    }
    Ok(happened)
}

fn take_over(tx: &mut dyn AuthTx, next: &StoredKey, now: Instant) -> Stored<Option<Lifecycle>> {
    let current = tx.keys().all()?.into_iter().find(|key| key.kind == next.kind && key.state == KeyState::Current);
    if let Some(current) = current
        && !tx.keys().turn(current.id, KeyState::Current, KeyState::Kept, now)?
    {
        return Ok(None);
    }
    let taken = tx.keys().turn(next.id, KeyState::Next, KeyState::Current, now)?;
    Ok(taken.then_some(Lifecycle::Used(next.id)))
}

/// Removes keys that nothing needs any more: signing keys after their last token, refresh keys that no live session names.
pub(crate) fn retire(tx: &mut dyn AuthTx, now: Instant) -> Stored<Vec<Lifecycle>> {
    let mut gone = Vec::new();
    for key in tx.keys().all()? {
        let idle = matches!(key.state, KeyState::Kept | KeyState::Revoked) && key.since.after(TRUSTED) <= now;
        let needed = match key.kind {
            KeyKind::Signing => false,
            KeyKind::Refresh => tx.sessions().names(key.id, now)?,
        };
        if idle && !needed {
            tx.keys().remove(key.id)?;
            gone.push(Lifecycle::Gone(key.id));
        }
    }
    Ok(gone)
}
