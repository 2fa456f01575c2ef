//! Verifies the audit: goes along the whole chain, part by part, and stops at the first line that is not as it was sealed.

use super::ports::OfficeView;
use crate::audit::chain::{Chain, Wrong};
use crate::audit::seal::{Seal, SealedLine, Signet};
use crate::{Store, StoreExt, Stored};

/// How many lines are read at once.
const PART: u32 = 1_000;

/// What going along the chain has shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The seal of the last line that is as it was sealed; every line before it is, too.
    pub last: Seal,
    /// The first fault; `None` where the chain is whole.
    pub fault: Option<Fault>,
}

/// The first line that is not as it was sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong.
    pub wrong: Wrong,
    /// The line as its store holds it; `None` where the chain is empty and should not be.
    pub line: Option<SealedLine>,
}

/// Goes along the chain up to the seal that is the newest when it begins; whoever wants all lines in it seals them first. `outside`
/// is a seal that was noted outside the store. `progress` hears the number of lines after each part.
pub fn verify_audit(
    store: &dyn Store<OfficeView>,
    signet: &dyn Signet,
    outside: Option<&Seal>,
    progress: &mut dyn FnMut(i64),
) -> Stored<Verified> {
    let newest = store.read(|tx| tx.seals().newest())?;
    let mut chain = Chain::noted(outside.cloned());
    let mut last: Option<SealedLine> = None;
    loop {
        // from the last one again: what has the same number is then seen too
        let from = last.as_ref().map_or(i64::MIN, |last| last.sequence);
        let part = store.read(|tx| tx.seals().sealed(from, PART))?;
        let full = part.len() >= PART as usize;
        for sealed in part {
            if last.as_ref().is_some_and(|last| last.line.id == sealed.line.id && last.sequence == sealed.sequence) {
                continue;
            }
            // what was sealed since is no fault, and may be half of what is being sealed now
            if sealed.sequence > newest.sequence && chain.last().sequence == newest.sequence && grown(store, &newest)? {
                return Ok(verified(&chain, &newest, last));
            }
            if let Err(wrong) = chain.take(signet, &sealed) {
                return Ok(Verified { last: chain.last().clone(), fault: Some(Fault { wrong, line: Some(sealed) }) });
            }
            last = Some(sealed);
        }
        progress(chain.last().sequence);
        if !full {
            return Ok(verified(&chain, &newest, last));
        }
    }
}

fn verified(chain: &Chain, newest: &Seal, line: Option<SealedLine>) -> Verified {
    let fault = chain.end(newest).err().map(|wrong| Fault { wrong, line });
    Verified { last: chain.last().clone(), fault }
}

/// Whether the chain has grown since it had this newest seal.
fn grown(store: &dyn Store<OfficeView>, since: &Seal) -> Stored<bool> {
    Ok(store.read(|tx| tx.seals().newest())?.sequence > since.sequence)
}
