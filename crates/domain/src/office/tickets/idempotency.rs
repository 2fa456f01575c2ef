//! Idempotent requests: stores the client's key with the response, in the unit of work of the
//! request.

use super::view::{TicketView, view_ticket};
use crate::office::error::{OfficeError, UseCaseError};
use crate::office::ports::{
    IdempotencyKey, OfficePorts, OfficeTx, RequestDigest, ScopedIdempotencyKey, StoredResponse,
};
use crate::ticket::Ticket;
use crate::{Instant, Store, StoreError, StoreExt, StoreResult, TenantId, UserId};

/// A request with an idempotency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotentRequest {
    /// The key that the client chose.
    pub key: IdempotencyKey,
    /// The digest of the request.
    pub digest: RequestDigest,
    /// The digest as earlier versions stored it, by the bytes of the body, so that their responses
    /// of the last day are still repeated.
    pub legacy_digest: RequestDigest,
}

/// The ticket that a request created, now or before.
#[derive(Clone, Debug, PartialEq)]
pub struct TicketCreation {
    /// The ticket as it was created.
    pub ticket: TicketView,
    /// Whether an earlier request with the same key created it.
    pub replayed: bool,
}

/// The response to an earlier request with this key. Another request with the same key is an error.
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

/// Stores the key with the response. If another request has used the key concurrently, the unit of
/// work runs again and finds that.
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
        Err(StoreError::Conflict("the idempotency key was used in the meantime".to_owned()).into())
    }
}

/// Removes at most `limit` keys that were used before this instant. Returns their number. A later
/// repeat is a new request.
pub fn sweep_idempotency_keys(store: &dyn Store<OfficePorts>, before: Instant, limit: u32) -> StoreResult<u32> {
    store.write("sweep_idempotency_keys", |tx| tx.idempotency_keys().sweep(before, limit))
}
