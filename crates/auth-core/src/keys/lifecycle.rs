//! The life of a key: born, next, current, kept, gone. Rules over the ports; who calls them opens the unit of work and tells the
//! audit.

use std::time::Duration;

use tillgate_domain::{Instant, KeyId, StoreResult};

use crate::ports::{AuthTx, KeyKind, KeyState, StoredKey};
use crate::terms::MAX_ACCESS_TOKEN_LIFETIME;

/// How long a signing key is trusted after its last token was made: its life, and an hour for clocks that differ.
const SIGNING_KEY_RETENTION: Duration = MAX_ACCESS_TOKEN_LIFETIME.saturating_add(Duration::from_hours(1));

/// What happened to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyEvent {
    /// It was made.
    Created(KeyId),
    /// It came into use.
    Promoted(KeyId),
    /// It is no longer trusted, nor kept.
    Retired(KeyId),
}

/// Where the store has no key of a kind, the candidate of that kind is born into use. Says which keys there are then.
pub(crate) fn insert_first_keys(
    tx: &mut dyn AuthTx,
    candidates: &[StoredKey],
) -> StoreResult<(Vec<StoredKey>, Vec<KeyEvent>)> {
    let mut born = Vec::new();
    let there = tx.keys().list()?;
    for candidate in candidates {
        let missing = !there.iter().any(|key| key.kind == candidate.kind);
        if missing && tx.keys().insert(candidate)? {
            born.push(KeyEvent::Created(candidate.id));
        }
    }
    Ok((tx.keys().list()?, born))
}

/// Adds the drawn keys: each as the next of its kind, or at once in place of the current one.
pub(crate) fn add_next_keys(
    tx: &mut dyn AuthTx,
    drawn: &[StoredKey],
    at_once: bool,
    now: Instant,
) -> StoreResult<Vec<KeyEvent>> {
    let mut happened = Vec::new();
    for key in drawn {
        let mut key = key.clone();
        key.state = KeyState::Next;
        if tx.keys().insert(&key)? {
            happened.push(KeyEvent::Created(key.id));
            if at_once {
                happened.extend(make_current(tx, &key, now)?);
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
) -> StoreResult<Vec<KeyEvent>> {
    let mut happened = Vec::new();
    for key in tx.keys().list()? {
        if key.state == KeyState::Next && key.state_since.saturating_add(lead) <= now && read(key.id) {
            happened.extend(make_current(tx, &key, now)?);
        }
    }
    Ok(happened)
}

fn make_current(tx: &mut dyn AuthTx, next: &StoredKey, now: Instant) -> StoreResult<Option<KeyEvent>> {
    let current = tx.keys().list()?.into_iter().find(|key| key.kind == next.kind && key.state == KeyState::Current);
    if let Some(current) = current
        && !tx.keys().change_state(current.id, KeyState::Current, KeyState::Kept, now)?
    {
        return Ok(None);
    }
    let taken = tx.keys().change_state(next.id, KeyState::Next, KeyState::Current, now)?;
    Ok(taken.then_some(KeyEvent::Promoted(next.id)))
}

/// Removes keys that nothing needs any more: signing keys after their last token, refresh keys that no live session names.
pub(crate) fn retire(tx: &mut dyn AuthTx, now: Instant) -> StoreResult<Vec<KeyEvent>> {
    let mut gone = Vec::new();
    for key in tx.keys().list()? {
        let idle = matches!(key.state, KeyState::Kept | KeyState::Revoked)
            && key.state_since.saturating_add(SIGNING_KEY_RETENTION) <= now;
        let needed = match key.kind {
            KeyKind::Signing => false,
            KeyKind::Refresh => tx.sessions().uses_key(key.id, now)?,
        };
        if idle && !needed {
            tx.keys().remove(key.id)?;
            gone.push(KeyEvent::Retired(key.id));
        }
    }
    Ok(gone)
}
