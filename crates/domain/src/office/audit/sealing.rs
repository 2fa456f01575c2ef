//! Seals the audit: chains the lines that were committed since, in one transaction of their own.

use crate::audit::seal::{Seal, SealKey};
use crate::office::ports::{OfficePorts, UnsealedCount};
use crate::{Store, StoreExt, StoreResult};

/// How many lines one transaction seals: few enough that a login beside it does not notice.
const EVENTS_PER_TRANSACTION: u32 = 64;

/// What was sealed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SealResult {
    /// How many lines.
    pub events: u32,
    /// Whether more may wait.
    pub has_more: bool,
    /// The newest seal now.
    pub newest: Seal,
}

/// Seals up to 64 lines that have no seal: those that are committed by now, in the order of their ids. Where there is none,
/// nothing is written. Of several processes that seal at once each waits for the one before, and none seals a line twice.
pub fn seal_audit(store: &dyn Store<OfficePorts>, signet: &dyn SealKey) -> StoreResult<SealResult> {
    let (waiting, newest) = store.read(|tx| Ok((tx.seals().count_unsealed(1)?, tx.seals().find_newest()?)))?;
    if waiting.events == 0 {
        return Ok(SealResult { newest, ..SealResult::default() });
    }
    store.write(|tx| {
        let before = tx.seals().claim()?;
        let lines = tx.seals().list_unsealed(EVENTS_PER_TRANSACTION)?;
        let mut newest = before.clone();
        let seals: Vec<_> = lines
            .into_iter()
            .map(|line| {
                newest = newest.seal_next(signet, &line);
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

/// How many lines have no seal yet, counted up to `most`, and the newest seal.
pub fn count_unsealed_audit(store: &dyn Store<OfficePorts>, most: u32) -> StoreResult<(UnsealedCount, Seal)> {
    store.read(|tx| Ok((tx.seals().count_unsealed(most)?, tx.seals().find_newest()?)))
}

/// Whether the chain has this seal: the line of its number bears it. The empty chain has the seal of number 0.
pub fn has_seal(store: &dyn Store<OfficePorts>, seal: &Seal) -> StoreResult<bool> {
    if seal.sequence == 0 {
        return Ok(true);
    }
    let found = store.read(|tx| tx.seals().list_sealed(seal.sequence, 1))?;
    Ok(found.first().is_some_and(|line| line.sequence == seal.sequence && line.hash.as_ref() == Some(&seal.hash)))
}
