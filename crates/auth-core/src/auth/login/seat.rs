//! The seat of a sale device: one person at a time is logged in on it.

use tillgate_domain::{Device, EndedWhy, Instant, SessionId, StoreError, Stored};

use crate::ports::AuthTx;

/// How often a seat that another login takes first is asked for again.
const AGAIN: usize = 8;

/// Takes the seat for a session, ends the one that held it and returns that, where it was not over already.
pub(super) fn take(
    tx: &mut dyn AuthTx,
    device: &Device,
    session: SessionId,
    now: Instant,
) -> Stored<Option<SessionId>> {
    let mut held = device.seat;
    for _ in 0..AGAIN {
        if tx.devices().seat(device.id, held, Some(session))? {
            return match held {
                Some(before) if tx.endings().end(before, EndedWhy::Replaced, now)? => Ok(Some(before)),
                _ => Ok(None),
            };
        }
        held = tx.devices().find(device.id)?.and_then(|device| device.seat);
    }
    Err(StoreError::Conflict(format!("the seat of device {} kept moving", device.id)))
}
