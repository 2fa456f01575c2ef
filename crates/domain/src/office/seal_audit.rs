//! Seals the audit: chains the lines that were committed since, in one transaction of their own.

use super::ports::{OfficeView, Unsealed};
use crate::audit::seal::{Seal, Signet};
use crate::{Store, StoreExt, Stored};

/// How many lines one transaction seals: few enough that a login beside it does not notice.
const BATCH: u32 = 64;

/// What was sealed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SealedUp {
    /// How many lines.
    pub lines: u32,
    /// Whether more may wait.
    pub more: bool,
    /// The newest seal now.
    pub newest: Seal,
}

/// Seals up to 64 lines that have no seal: those that are committed by now, in the order of their ids. Where there is none,
/// nothing is written. Of several processes that seal at once each waits for the one before, and none seals a line twice.
pub fn seal_audit(store: &dyn Store<OfficeView>, signet: &dyn Signet) -> Stored<SealedUp> {
    let (waiting, newest) = store.read(|tx| Ok((tx.seals().waiting(1)?, tx.seals().newest()?)))?;
    if waiting.lines == 0 {
        return Ok(SealedUp { newest, ..SealedUp::default() });
    }
    store.write(|tx| {
        let before = tx.seals().claim()?;
        let lines = tx.seals().unsealed(BATCH)?;
        let mut newest = before.clone();
        let seals: Vec<_> = lines
            .into_iter()
            .map(|line| {
                newest = newest.next(signet, &line);
                (line.id, newest.clone())
            })
            .collect();
        if !seals.is_empty() {
            tx.seals().seal(&before, &seals)?;
        }
        let lines = u32::try_from(seals.len()).unwrap_or(u32::MAX);
        Ok(SealedUp { lines, more: lines >= BATCH, newest })
    })
}

/// How many lines have no seal yet, counted up to `most`, and the newest seal.
pub fn unsealed_audit(store: &dyn Store<OfficeView>, most: u32) -> Stored<(Unsealed, Seal)> {
    store.read(|tx| Ok((tx.seals().waiting(most)?, tx.seals().newest()?)))
}

/// Whether the chain has this seal: the line of its number bears it. The empty chain has the seal of number 0.
pub fn has_seal(store: &dyn Store<OfficeView>, seal: &Seal) -> Stored<bool> {
    if seal.sequence == 0 {
        return Ok(true);
    }
    let found = store.read(|tx| tx.seals().sealed(seal.sequence, 1))?;
    Ok(found.first().is_some_and(|line| line.sequence == seal.sequence && line.hash.as_ref() == Some(&seal.hash)))
}
