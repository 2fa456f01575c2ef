//! Verifications of the audit log that run in this process.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tillgate_auth_core::Auth;
use tillgate_domain::office::{self, AuditVerification, OfficePorts};
use tillgate_domain::{EventId, Store};

use crate::error::ApiError;

/// Maximum number of verifications that run in one process, over all tenants: each reads the whole
/// audit log.
const MAX_RUNNING: usize = 4;

/// A verified audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedAudit {
    /// What was verified, and the first fault.
    pub verification: AuditVerification,
    /// A likely harmless cause of the fault, to follow its description; may be empty.
    pub explanation: String,
    /// The problem, if there is no seal outside of the store to compare with.
    pub missing_seal: Option<String>,
}

/// Verifies the audit log against a seal that is kept outside of the store.
pub trait AuditVerifier: Send + Sync {
    /// Verifies the whole chain. It runs on a thread of its own; `progress` is called with the
    /// number of verified events.
    ///
    /// # Errors
    /// The reason why the log could not be verified, for the server's log.
    fn verify_audit(&self, progress: &mut dyn FnMut(i64)) -> Result<VerifiedAudit, String>;
}

/// The running verifications, and how to verify.
#[derive(Default)]
pub(crate) struct AuditVerifications {
    verifier: OnceLock<Arc<dyn AuditVerifier>>,
    running: Mutex<RunningVerifications>,
    /// Held from the check of what runs until a new verification runs.
    starting: Mutex<()>,
}

#[derive(Default)]
struct RunningVerifications {
    /// The number of verifications, including those that are being started.
    number: usize,
    /// How many events each has verified.
    progress: BTreeMap<EventId, Arc<AtomicI64>>,
}

impl fmt::Debug for AuditVerifications {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditVerifications").finish_non_exhaustive()
    }
}

impl AuditVerifications {
    /// Sets how to verify, once.
    pub(crate) fn set_verifier(&self, verifier: Arc<dyn AuditVerifier>) {
        // a second one is ignored
        let _ = self.verifier.set(verifier);
    }

    /// Verifies the log; without a verifier, against nothing outside of the store.
    pub(crate) fn verify(
        &self,
        store: &dyn Store<OfficePorts>,
        auth: &Auth,
        progress: &mut dyn FnMut(i64),
    ) -> Result<VerifiedAudit, String> {
        if let Some(verifier) = self.verifier.get() {
            return verifier.verify_audit(progress);
        }
        let verification = office::unguarded::verify_audit(store, auth.audit_seal_key(), None, progress);
        let verification = verification.map_err(|error| error.to_string())?;
        Ok(VerifiedAudit { verification, explanation: String::new(), missing_seal: None })
    }

    /// Reserves a slot for a verification.
    ///
    /// # Errors
    /// Unavailable if there are too many.
    pub(crate) fn reserve(self: &Arc<Self>) -> Result<VerificationSlot, ApiError> {
        let mut running = self.lock();
        if running.number >= MAX_RUNNING {
            return Err(ApiError::unavailable("too many verifications of the audit log are running"));
        }
        running.number += 1;
        Ok(VerificationSlot { all: Arc::clone(self), id: None, progress: Arc::default() })
    }

    /// Lets one request at a time start a verification.
    pub(crate) fn lock_starts(&self) -> MutexGuard<'_, ()> {
        self.starting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The verifications that run in this process.
    pub(crate) fn list_running(&self) -> BTreeSet<EventId> {
        self.lock().progress.keys().copied().collect()
    }

    /// How many events a running verification has verified; `None` if it does not run here.
    pub(crate) fn progress(&self, id: EventId) -> Option<i64> {
        self.lock().progress.get(&id).map(|progress| progress.load(Ordering::Relaxed))
    }

    fn lock(&self) -> MutexGuard<'_, RunningVerifications> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The slot of a verification, which is released on drop.
pub(crate) struct VerificationSlot {
    all: Arc<AuditVerifications>,
    id: Option<EventId>,
    progress: Arc<AtomicI64>,
}

impl VerificationSlot {
    /// Names the verification that runs in this slot.
    pub(crate) fn begin(&mut self, id: EventId) {
        self.id = Some(id);
        self.all.lock().progress.insert(id, Arc::clone(&self.progress));
    }

    /// Records how many events have been verified.
    pub(crate) fn report(&self, verified: i64) {
        self.progress.store(verified, Ordering::Relaxed);
    }
}

impl Drop for VerificationSlot {
    fn drop(&mut self) {
        let mut running = self.all.lock();
        running.number = running.number.saturating_sub(1);
        if let Some(id) = self.id {
            running.progress.remove(&id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_limited_and_released() {
        let all = Arc::new(AuditVerifications::default());
        let mut slots: Vec<VerificationSlot> = (0..MAX_RUNNING).map(|_| all.reserve().unwrap()).collect();
        assert!(all.reserve().is_err());
        let id = EventId(uuid::Uuid::from_u128(7));
        slots[0].begin(id);
        slots[0].report(5);
        assert_eq!(all.progress(id), Some(5));
        slots.remove(0);
        assert_eq!((all.progress(id), all.reserve().is_ok()), (None, true));
    }
}
