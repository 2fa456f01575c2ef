//! Who cannot log in now after failed logins, for the back office.

use tillgate_domain::{BranchId, KnownRight, PrincipalId, StoreExt};

use super::Auth;
use crate::throttle::LoginThrottle;
use crate::{Caller, Error};

/// Up to how many throttled users and devices are counted.
const MAX_COUNTED: u32 = 10_000;

impl Auth {
    /// Whether logins of a user or device from networks in which it has never logged in are denied
    /// now, and until when. Checks no right.
    pub fn find_login_throttle(&self, principal: PrincipalId) -> Result<Option<LoginThrottle>, Error> {
        let now = self.time().at;
        Ok(self.store.read("find_login_throttle", |tx| self.throttle.find_login_throttle(tx, principal, now))?)
    }

    /// The number of users and devices of the caller's tenant, or of devices in one of its stores,
    /// whose logins from such networks are denied now. `None` without the right `userRead`.
    pub fn count_login_throttles(&self, caller: &Caller, branch: Option<BranchId>) -> Result<Option<u32>, Error> {
        if caller.require_right(KnownRight::UserRead).is_err() {
            return Ok(None);
        }
        let (tenant, now) = (caller.profile.tenant.id, self.time().at);
        let count = self.store.read("count_login_throttles", |tx| {
            self.throttle.count_login_throttles(tx, tenant, branch, now, MAX_COUNTED)
        })?;
        Ok(Some(count))
    }
}
