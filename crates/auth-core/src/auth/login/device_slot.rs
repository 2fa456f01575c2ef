//! The two slots of a device, each of which at most one session has: the seat of a sale device, and
//! the pairing of any device. A login that claims a slot ends the session that had it.

use tillgate_domain::{Device, EndReason, Instant, SessionId, StoreError, StoreResult};

use crate::ports::AuthTx;

/// How often a slot is claimed again after another login has claimed it first.
const MAX_CLAIM_ATTEMPTS: usize = 8;

/// A slot of a device for a single session.
#[derive(Clone, Copy, Debug)]
pub(super) enum DeviceSlot {
    /// The session of the person who is logged in on a sale device.
    Seat,
    /// The permanent session that is paired with the device.
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

/// Claims the slot for a session and ends the session that had it. Returns the ended session;
/// `None` if the slot was free or its session had ended already.
pub(super) fn claim(
    tx: &mut dyn AuthTx,
    slot: DeviceSlot,
    device: &Device,
    session: SessionId,
    now: Instant,
) -> StoreResult<Option<SessionId>> {
    let mut holder = slot.holder(device);
    for _ in 0..MAX_CLAIM_ATTEMPTS {
        if slot.transfer(tx, device, holder, session)? {
            return match holder {
                Some(before) if tx.revocations().end_session(before, EndReason::Replaced, now)? => Ok(Some(before)),
                _ => Ok(None),
            };
        }
        holder = tx.devices().find(device.id)?.and_then(|device| slot.holder(&device));
    }
    Err(StoreError::Conflict(format!(
        "the {slot:?} of device \"{}\" was claimed by others {MAX_CLAIM_ATTEMPTS} times in a row",
        device.id
    )))
}
