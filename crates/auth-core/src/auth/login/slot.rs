//! The places of a device that one session at a time holds: the seat of a sale device, and the pairing of any.

use tillgate_domain::{Device, EndReason, Instant, SessionId, StoreError, StoreResult};

use crate::ports::AuthTx;

/// How often a place that another login takes first is asked for again.
const MAX_CLAIM_ATTEMPTS: usize = 8;

/// A place of a device.
#[derive(Clone, Copy, Debug)]
pub(super) enum DeviceSlot {
    /// One person at a time is logged in on a sale device.
    Seat,
    /// One permanent session at a time is paired with a device.
    Pairing,
}

impl DeviceSlot {
    fn holder(self, device: &Device) -> Option<SessionId> {
        match self {
            Self::Seat => device.seat,
            Self::Pairing => device.pairing,
        }
    }

    fn transfer(
        self,
        tx: &mut dyn AuthTx,
        device: &Device,
        from: Option<SessionId>,
        to: SessionId,
    ) -> StoreResult<bool> {
        match self {
            Self::Seat => tx.devices().seat(device.id, from, Some(to)),
            Self::Pairing => tx.devices().pair(device.id, from, Some(to)),
        }
    }
}

/// Takes the place for a session, ends the one that held it and returns that, where it was not over already.
pub(super) fn claim(
    tx: &mut dyn AuthTx,
    place: DeviceSlot,
    device: &Device,
    session: SessionId,
    now: Instant,
) -> StoreResult<Option<SessionId>> {
    let mut held = place.holder(device);
    for _ in 0..MAX_CLAIM_ATTEMPTS {
        if place.transfer(tx, device, held, session)? {
            return match held {
                Some(before) if tx.revocations().end_session(before, EndReason::Replaced, now)? => Ok(Some(before)),
                _ => Ok(None),
            };
        }
        held = tx.devices().find(device.id)?.and_then(|device| place.holder(&device));
    }
    Err(StoreError::Conflict(format!("the {place:?} of device {} kept moving", device.id)))
}
