//! Verifies the chain of the audit log, batch by batch, up to the first event that is not as it was
//! sealed.

use crate::audit::chain::{ChainError, ChainVerifier};
use crate::audit::seal::{Seal, SealKey, SealedEvent};
use crate::office::ports::OfficePorts;
use crate::{Store, StoreExt, StoreResult};

/// The number of events that are read at once.
const EVENTS_PER_BATCH: u32 = 1_000;

/// The result of verifying the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditVerification {
    /// The seal of the last event that is as sealed; all events before it are, too.
    pub last: Seal,
    /// The first fault; `None` if the chain is intact.
    pub fault: Option<AuditFault>,
}

/// The first event that is not as it was sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditFault {
    /// What is wrong with the chain.
    pub error: ChainError,
    /// The event as its store keeps it; `None` if the chain is empty and should not be.
    pub event: Option<SealedEvent>,
}

/// Verifies the chain up to the newest seal at the start; seal all events first if it should
/// include them. `outside` is a seal that was recorded outside the store. `progress` is called with
/// the number of events after each batch.
pub fn verify_audit(
    store: &dyn Store<OfficePorts>,
    key: &dyn SealKey,
    outside: Option<&Seal>,
    progress: &mut dyn FnMut(i64),
) -> StoreResult<AuditVerification> {
    let newest = store.read("verify_audit", |tx| tx.seals().find_newest())?;
    let mut chain = ChainVerifier::new(outside.cloned());
    let mut last: Option<SealedEvent> = None;
    loop {
        // Starts with the last event again, so that another one with the same number is found.
        let from = last.as_ref().map_or(i64::MIN, |last| last.sequence);
        let part = store.read("verify_audit", |tx| tx.seals().list_sealed(from, EVENTS_PER_BATCH))?;
        let full = part.len() >= EVENTS_PER_BATCH as usize;
        for sealed in part {
            if last.as_ref().is_some_and(|last| last.event.id == sealed.event.id && last.sequence == sealed.sequence) {
                continue;
            }
            // Events that were sealed since are not a fault, and may be incomplete.
            if sealed.sequence > newest.sequence
                && chain.last_seal().sequence == newest.sequence
                && has_grown(store, &newest)?
            {
                return Ok(build_report(&chain, &newest, last));
            }
            if let Err(wrong) = chain.verify_next(key, &sealed) {
                return Ok(AuditVerification {
                    last: chain.last_seal().clone(),
                    fault: Some(AuditFault { error: wrong, event: Some(sealed) }),
                });
            }
            last = Some(sealed);
        }
        progress(chain.last_seal().sequence);
        if !full {
            return Ok(build_report(&chain, &newest, last));
        }
    }
}

fn build_report(chain: &ChainVerifier, newest: &Seal, line: Option<SealedEvent>) -> AuditVerification {
    let fault = chain.finish(newest).err().map(|wrong| AuditFault { error: wrong, event: line });
    AuditVerification { last: chain.last_seal().clone(), fault }
}

/// Whether the chain has grown since this was its newest seal.
fn has_grown(store: &dyn Store<OfficePorts>, since: &Seal) -> StoreResult<bool> {
    Ok(store.read("verify_audit", |tx| tx.seals().find_newest())?.sequence > since.sequence)
}
