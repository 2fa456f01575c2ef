//! Seals the audit log: chains the events that were committed since the last run, in a transaction
//! of their own.

use crate::audit::seal::{Seal, SealKey};
use crate::office::ports::{OfficePorts, UnsealedCount};
use crate::{Store, StoreExt, StoreResult};

/// The number of events that one transaction seals, few enough not to delay a concurrent login.
const EVENTS_PER_TRANSACTION: u32 = 64;

/// The result of sealing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SealResult {
    /// The number of sealed events.
    pub events: u32,
    /// Whether more events may be waiting.
    pub has_more: bool,
    /// The newest seal of the chain.
    pub newest: Seal,
}

/// Seals up to 64 events that have no seal, in the order of their ids. Writes nothing if there are
/// none. Of several processes that seal at once, each waits for the previous one, and none seals an
/// event twice.
pub fn seal_audit(store: &dyn Store<OfficePorts>, key: &dyn SealKey) -> StoreResult<SealResult> {
    let (waiting, newest) =
        store.read("seal_audit", |tx| Ok((tx.seals().count_unsealed(1)?, tx.seals().find_newest()?)))?;
    if waiting.events == 0 {
        return Ok(SealResult { newest, ..SealResult::default() });
    }
    store.write("seal_audit", |tx| {
        let before = tx.seals().claim()?;
        let lines = tx.seals().list_unsealed(EVENTS_PER_TRANSACTION)?;
        let mut newest = before.clone();
        let seals: Vec<_> = lines
            .into_iter()
            .map(|line| {
                newest = newest.seal_next(key, &line);
                (line.id, newest.clone())
            })
            .collect();
        if !seals.is_empty() {
            tx.seals().insert_seals(&before, &seals)?;
        }
        let lines = u32::try_from(seals.len()).unwrap_or(u32::MAX);
        Ok(SealResult { events: lines, has_more: lines >= EVENTS_PER_TRANSACTION, newest })
    })
}

/// The number of events without a seal, counted up to `most`, and the newest seal.
pub fn count_unsealed_audit(store: &dyn Store<OfficePorts>, most: u32) -> StoreResult<(UnsealedCount, Seal)> {
    store.read("count_unsealed_audit", |tx| Ok((tx.seals().count_unsealed(most)?, tx.seals().find_newest()?)))
}

/// Whether the chain contains this seal: the event with its number has it. The empty chain contains
/// the seal with number 0.
pub fn has_seal(store: &dyn Store<OfficePorts>, seal: &Seal) -> StoreResult<bool> {
    if seal.sequence == 0 {
        return Ok(true);
    }
    let found = store.read("find_seal", |tx| tx.seals().list_sealed(seal.sequence, 1))?;
    Ok(found.first().is_some_and(|line| line.sequence == seal.sequence && line.hash.as_ref() == Some(&seal.hash)))
}
