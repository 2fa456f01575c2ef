//! Verifies the audit: goes along the whole chain, part by part, and stops at the first line that is not as it was sealed.

use crate::audit::chain::{ChainError, ChainVerifier};
use crate::audit::seal::{Seal, SealKey, SealedEvent};
use crate::office::ports::OfficePorts;
use crate::{Store, StoreExt, StoreResult};

/// How many lines are read at once.
const EVENTS_PER_BATCH: u32 = 1_000;

/// What going along the chain has shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditVerification {
    /// The seal of the last line that is as it was sealed; every line before it is, too.
    pub last: Seal,
    /// The first fault; `None` where the chain is whole.
    pub fault: Option<AuditFault>,
}

/// The first line that is not as it was sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditFault {
    /// What is wrong.
    pub error: ChainError,
    /// The line as its store holds it; `None` where the chain is empty and should not be.
    pub event: Option<SealedEvent>,
}

/// Goes along the chain up to the seal that is the newest when it begins; whoever wants all lines in it seals them first. `outside`
/// is a seal that was noted outside the store. `progress` hears the number of lines after each part.
pub fn verify_audit(
    store: &dyn Store<OfficePorts>,
    signet: &dyn SealKey,
    outside: Option<&Seal>,
    progress: &mut dyn FnMut(i64),
) -> StoreResult<AuditVerification> {
    let newest = store.read(|tx| tx.seals().find_newest())?;
    let mut chain = ChainVerifier::new(outside.cloned());
    let mut last: Option<SealedEvent> = None;
    loop {
        // from the last one again: what has the same number is then seen too
        let from = last.as_ref().map_or(i64::MIN, |last| last.sequence);
        let part = store.read(|tx| tx.seals().list_sealed(from, EVENTS_PER_BATCH))?;
        let full = part.len() >= EVENTS_PER_BATCH as usize;
        for sealed in part {
            if last.as_ref().is_some_and(|last| last.event.id == sealed.event.id && last.sequence == sealed.sequence) {
                continue;
            }
            // what was sealed since is no fault, and may be half of what is being sealed now
            if sealed.sequence > newest.sequence
                && chain.last_seal().sequence == newest.sequence
                && has_grown(store, &newest)?
            {
                return Ok(build_report(&chain, &newest, last));
            }
            if let Err(wrong) = chain.verify_next(signet, &sealed) {
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

/// Whether the chain has grown since it had this newest seal.
fn has_grown(store: &dyn Store<OfficePorts>, since: &Seal) -> StoreResult<bool> {
    Ok(store.read(|tx| tx.seals().find_newest())?.sequence > since.sequence)
}
