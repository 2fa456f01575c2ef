//! A summary of a tenant: how many tills are in use, and what needs attention.

use std::time::Duration;

use super::OfficeReader;
use super::audit::verifications::MAX_UNSEALED;
use super::ports::{OfficeTx, TillCountSpan};
use crate::{BranchId, Instant, KnownRight, StoreExt, StoreResult};

/// How long a session must be unused to count as idle.
const IDLE_AFTER: Duration = Duration::from_mins(15);

/// How far back denials are counted.
const REFUSED_SPAN: Duration = Duration::from_hours(24);

/// Up to how many denials are counted.
const MAX_REFUSED: u32 = 10_000;

/// Numbers of a tenant, or of one of its stores. `None` if the caller may not see them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OfficeSummary {
    /// Locked tills and handhelds.
    pub locked: u64,
    /// Pending tills and handhelds.
    pub pending: u64,
    /// The use of active tills and handhelds; requires the right `sessionRead` or `sessionDelete`.
    pub seats: Option<SeatSummary>,
    /// Refused requests within 24 hours, counted up to 10,000; requires the right `auditRead`.
    pub refused: Option<u64>,
    /// The state of the audit log of the whole server; requires the right `auditRead`.
    pub seal: Option<SealSummary>,
}

/// The use of active tills and handhelds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeatSummary {
    /// Devices on which somebody is logged in.
    pub logged_in: u64,
    /// Those of them that have not been used for 15 minutes.
    pub idle: u64,
    /// Devices on which nobody is logged in.
    pub free: u64,
}

/// The state of the audit log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealSummary {
    /// Events without a seal, counted up to 10,000.
    pub unsealed: u32,
    /// The instant of the newest event with a seal; `None` if there is none.
    pub sealed_at: Option<Instant>,
}

impl OfficeReader<'_> {
    /// Summarizes the tenant, or one of its stores. Each number is read from an index.
    pub fn summarize(&self, branch: Option<BranchId>) -> StoreResult<OfficeSummary> {
        let readers = [KnownRight::SessionRead, KnownRight::SessionDelete];
        let sees_seats = self.authority.require_any(&readers).is_ok();
        let sees_audit = self.require(KnownRight::AuditRead).is_ok();
        let now = self.at;
        let span = TillCountSpan { now, idle_since: now.saturating_sub(IDLE_AFTER) };
        self.store.read("summarize", |tx| {
            let tills = tx.devices().count_tills(self.tenant, branch, &span)?;
            let seats = SeatSummary {
                logged_in: tills.logged_in,
                idle: tills.idle,
                free: tills.active.saturating_sub(tills.logged_in),
            };
            let (refused, seal) = if sees_audit {
                let since = now.saturating_sub(REFUSED_SPAN);
                let refused = tx.events().count_refused(self.tenant, branch, since, MAX_REFUSED)?;
                (Some(refused), Some(summarize_seal(tx)?))
            } else {
                (None, None)
            };
            Ok(OfficeSummary {
                locked: tills.locked,
                pending: tills.pending,
                seats: sees_seats.then_some(seats),
                refused,
                seal,
            })
        })
    }
}

fn summarize_seal(tx: &mut (dyn OfficeTx + '_)) -> StoreResult<SealSummary> {
    let newest = tx.seals().find_newest()?;
    let sealed = tx.seals().list_sealed(newest.sequence, 1)?;
    Ok(SealSummary {
        unsealed: tx.seals().count_unsealed(MAX_UNSEALED)?.events,
        sealed_at: sealed.first().map(|sealed| Instant::from_millis(sealed.event.at)),
    })
}
