//! Makes a request count once: the client's key for it is kept with what was answered, in the unit of work that did what it asked.

use super::shown::{Shown, shown};
use crate::office::ports::{Answered, IdempotencyKey, OfficeTx, OfficeView, RequestDigest, RequestKey};
use crate::office::refused::{Halt, Refused};
use crate::ticket::Ticket;
use crate::{Instant, Store, StoreError, StoreExt, Stored, TenantId, UserId};

/// A request that is to count once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Once {
    /// What its client calls it by.
    pub key: IdempotencyKey,
    /// What it asks.
    pub request: RequestDigest,
    /// The same as earlier servers kept it, by the bytes of the body: what they answered within the last day is answered again.
    pub earlier: RequestDigest,
}

/// What a request made, or had made before.
#[derive(Clone, Debug, PartialEq)]
pub struct Made {
    /// The ticket as it was made.
    pub shown: Shown,
    /// Whether an earlier request of the same key made it.
    pub again: bool,
}

/// What was answered to a request of this key before. Another request under the same key is refused.
pub(super) fn before(
    tx: &mut dyn OfficeTx,
    (tenant, user): (TenantId, UserId),
    once: Option<&Once>,
) -> Result<Option<Made>, Halt> {
    let Some(once) = once else { return Ok(None) };
    let mut key = RequestKey { tenant, user, key: once.key.clone() };
    let mut found = tx.idempotency_keys().find(&key)?;
    if found.is_none()
        && let Some(quoted) = once.key.as_kept_quoted()
    {
        key.key = quoted;
        found = tx.idempotency_keys().find(&key)?;
    }
    match found {
        None => Ok(None),
        Some(answered) if ![once.request, once.earlier].contains(&answered.request) => Err(Refused::KeyReused.into()),
        Some(answered) => Ok(Some(Made { shown: shown(tx, answered.ticket)?, again: true })),
    }
}

/// Keeps the key with what was made. Where another request took it meanwhile, the unit of work runs again and finds that.
pub(super) fn keep(
    tx: &mut dyn OfficeTx,
    (tenant, user): (TenantId, UserId),
    once: Option<&Once>,
    ticket: &Ticket,
    at: Instant,
) -> Result<(), Halt> {
    let Some(once) = once else { return Ok(()) };
    let key = RequestKey { tenant, user, key: once.key.clone() };
    let answered = Answered { request: once.request, ticket: ticket.clone() };
    if tx.idempotency_keys().insert(&key, &answered, at)? {
        Ok(())
    } else {
        Err(StoreError::Conflict("the idempotency key was used meanwhile".to_owned()).into())
    }
}

/// Forgets requests that were made before this instant, `limit` at most, and says how many: a client that asks again after that
/// asks anew.
pub fn sweep_idempotency_keys(store: &dyn Store<OfficeView>, before: Instant, limit: u32) -> Stored<u32> {
    store.write(|tx| tx.idempotency_keys().sweep(before, limit))
}
