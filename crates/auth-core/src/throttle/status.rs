//! What the throttle reports about users and devices: who cannot log in now after failed logins.

use tillgate_domain::{BranchId, Instant, PrincipalId, StoreResult, TenantId};

use super::{Throttle, rules};
use crate::AuthTx;

/// A user or device whose logins from networks in which it has never logged in are denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoginThrottle {
    /// The instant from which the next login is admitted.
    pub until: Instant,
    /// The number of failed logins that are counted.
    pub failures: u32,
}

impl Throttle {
    /// Whether logins of a principal from unknown networks are denied now, and until when. Logins
    /// from known networks, and of clients that were logged in before, are counted separately.
    pub fn find_login_throttle(
        &self,
        tx: &mut (dyn AuthTx + '_),
        principal: PrincipalId,
        now: Instant,
    ) -> StoreResult<Option<LoginThrottle>> {
        let key = self.key_deriver.unknown_of(principal.uuid());
        let bucket = tx.attempts().find_buckets(&[key])?.pop().unwrap_or_default();
        let limited = rules::find_rate_limit(&self.limits, self.limits.unknown, &bucket, now);
        Ok(limited.map(|(wait, failures)| LoginThrottle { until: now.saturating_add(wait), failures }))
    }

    /// The number of users and devices of a tenant, or of devices in one of its stores, whose
    /// logins from unknown networks are denied now. At most `most` buckets are considered.
    pub fn count_login_throttles(
        &self,
        tx: &mut (dyn AuthTx + '_),
        tenant: TenantId,
        branch: Option<BranchId>,
        now: Instant,
        most: u32,
    ) -> StoreResult<u32> {
        let rate = self.limits.unknown;
        let full_after = now.saturating_add(rate.full_refill_time().saturating_sub(rate.refill_interval));
        let found = tx.attempts().find_depleted(tenant, branch, full_after, most)?;
        let limited = found.iter().filter(|found| {
            found.key == self.key_deriver.unknown_of(found.principal)
                && rules::find_rate_limit(&self.limits, rate, &found.bucket, now).is_some()
        });
        Ok(u32::try_from(limited.count()).unwrap_or(u32::MAX))
    }
}
