//! Makes a request count once: the client's key for it is kept with what was answered, in the unit of work that did what it asked.

use super::view::{TicketView, view_ticket};
use crate::office::error::{OfficeError, UseCaseError};
use crate::office::ports::{
    IdempotencyKey, OfficePorts, OfficeTx, RequestDigest, ScopedIdempotencyKey, StoredResponse,
};
use crate::ticket::Ticket;
use crate::{Instant, Store, StoreError, StoreExt, StoreResult, TenantId, UserId};

/// A request that is to count once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotentRequest {
    /// What its client calls it by.
    pub key: IdempotencyKey,
    /// What it asks.
    pub digest: RequestDigest,
    /// The same as earlier servers kept it, by the bytes of the body: what they answered within the last day is answered again.
    pub legacy_digest: RequestDigest,
}

/// What a request made, or had made before.
#[derive(Clone, Debug, PartialEq)]
pub struct TicketCreation {
    /// The ticket as it was made.
    pub ticket: TicketView,
    /// Whether an earlier request of the same key made it.
    pub replayed: bool,
}

/// What was answered to a request of this key before. Another request under the same key is refused.
pub(super) fn find_replay(
    tx: &mut dyn OfficeTx,
    (tenant, user): (TenantId, UserId),
    once: Option<&IdempotentRequest>,
) -> Result<Option<TicketCreation>, UseCaseError> {
    let Some(once) = once else { return Ok(None) };
    let mut key = ScopedIdempotencyKey { tenant, user, key: once.key.clone() };
    let mut found = tx.idempotency_keys().find(&key)?;
    if found.is_none()
        && let Some(quoted) = once.key.to_legacy_quoted()
    {
        key.key = quoted;
        found = tx.idempotency_keys().find(&key)?;
    }
    match found {
        None => Ok(None),
        Some(answered) if ![once.digest, once.legacy_digest].contains(&answered.request_digest) => {
            Err(OfficeError::IdempotencyKeyReused.into())
        }
        Some(answered) => Ok(Some(TicketCreation { ticket: view_ticket(tx, answered.ticket)?, replayed: true })),
    }
}

/// Keeps the key with what was made. Where another request took it meanwhile, the unit of work runs again and finds that.
pub(super) fn store_response(
    tx: &mut dyn OfficeTx,
    (tenant, user): (TenantId, UserId),
    once: Option<&IdempotentRequest>,
    ticket: &Ticket,
    at: Instant,
) -> Result<(), UseCaseError> {
    let Some(once) = once else { return Ok(()) };
    let key = ScopedIdempotencyKey { tenant, user, key: once.key.clone() };
    let answered = StoredResponse { request_digest: once.digest, ticket: ticket.clone() };
    if tx.idempotency_keys().insert(&key, &answered, at)? {
        Ok(())
    } else {
        Err(StoreError::Conflict("the idempotency key was used meanwhile".to_owned()).into())
    }
}

/// Forgets requests that were made before this instant, `limit` at most, and says how many: a client that asks again after that
/// asks anew.
pub fn sweep_idempotency_keys(store: &dyn Store<OfficePorts>, before: Instant, limit: u32) -> StoreResult<u32> {
    store.write(|tx| tx.idempotency_keys().sweep(before, limit))
}
