//! The life cycle of keys: created as `Next`, promoted to `Current`, then `Kept`, then removed.
//! These functions work in the caller's unit of work; the caller records the audit events.

use std::time::Duration;

use tillgate_domain::{Instant, KeyId, StoreResult};

use crate::ports::{AuthTx, KeyKind, KeyState, StoredKey};
use crate::session_terms::MAX_ACCESS_TOKEN_LIFETIME;

/// How long a signing key is kept after it signed its last token: the longest lifetime of a token,
/// and an hour for differences between clocks.
const SIGNING_KEY_RETENTION: Duration = MAX_ACCESS_TOKEN_LIFETIME.saturating_add(Duration::from_hours(1));

/// A change in the life cycle of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyEvent {
    /// The key was created.
    Created(KeyId),
    /// The key is now in use.
    Promoted(KeyId),
    /// The key was removed, because nothing needs it.
    Retired(KeyId),
}

/// Stores a candidate as the current key for each kind that has none. Returns all keys of the store
/// then.
pub(crate) fn insert_first_keys(
    tx: &mut dyn AuthTx,
    candidates: &[StoredKey],
) -> StoreResult<(Vec<StoredKey>, Vec<KeyEvent>)> {
    let mut events = Vec::new();
    let stored = tx.keys().list()?;
    for candidate in candidates {
        let missing = !stored.iter().any(|key| key.kind == candidate.kind);
        if missing && tx.keys().insert(candidate)? {
            events.push(KeyEvent::Created(candidate.id));
        }
    }
    Ok((tx.keys().list()?, events))
}

/// Stores new keys, as the next of their kind or immediately as the current one.
pub(crate) fn add_next_keys(
    tx: &mut dyn AuthTx,
    keys: &[StoredKey],
    at_once: bool,
    now: Instant,
) -> StoreResult<Vec<KeyEvent>> {
    let mut events = Vec::new();
    for key in keys {
        let mut key = key.clone();
        key.state = KeyState::Next;
        if tx.keys().insert(&key)? {
            events.push(KeyEvent::Created(key.id));
            if at_once {
                events.extend(make_current(tx, &key, now)?);
            }
        }
    }
    Ok(events)
}

/// Promotes the next keys that are at least `lead` old and that every live process has read,
/// according to `read`.
pub(crate) fn promote(
    tx: &mut dyn AuthTx,
    lead: Duration,
    read: &dyn Fn(KeyId) -> bool,
    now: Instant,
) -> StoreResult<Vec<KeyEvent>> {
    let mut events = Vec::new();
    for key in tx.keys().list()? {
        if key.state == KeyState::Next && key.state_since.saturating_add(lead) <= now && read(key.id) {
            events.extend(make_current(tx, &key, now)?);
        }
    }
    Ok(events)
}

fn make_current(tx: &mut dyn AuthTx, next: &StoredKey, now: Instant) -> StoreResult<Option<KeyEvent>> {
    let current = tx.keys().list()?.into_iter().find(|key| key.kind == next.kind && key.state == KeyState::Current);
    if let Some(current) = current
        && !tx.keys().change_state(current.id, KeyState::Current, KeyState::Kept, now)?
    {
        return Ok(None);
    }
    let is_promoted = tx.keys().change_state(next.id, KeyState::Next, KeyState::Current, now)?;
    Ok(is_promoted.then_some(KeyEvent::Promoted(next.id)))
}

/// Removes the keys that nothing needs any more: signing keys after the expiry of their last token,
/// refresh keys that no live session references, keys with which no PIN is digested.
pub(crate) fn retire(tx: &mut dyn AuthTx, now: Instant) -> StoreResult<Vec<KeyEvent>> {
    let mut events = Vec::new();
    for key in tx.keys().list()? {
        let idle = matches!(key.state, KeyState::Kept | KeyState::Revoked)
            && key.state_since.saturating_add(SIGNING_KEY_RETENTION) <= now;
        let needed = match key.kind {
            KeyKind::Signing => false,
            KeyKind::Refresh => tx.sessions().uses_key(key.id, now)?,
            KeyKind::Pin => tx.pins().uses_key(key.id)?,
        };
        if idle && !needed {
            tx.keys().remove(key.id)?;
            events.push(KeyEvent::Retired(key.id));
        }
    }
    Ok(events)
}
