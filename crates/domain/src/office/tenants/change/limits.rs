//! Checks the session limits of a tenant: each is in its range, no longer than the configured
//! lifetime, and consistent with the others.
//!
//! A tenant's limits are checked against the longest terms of the mounts that serve it
//! (`Mounts::longest`), not against the native API's terms: a limit applies in every dialect, and
//! is rejected only if it would shorten no session in any of them. The domain receives the maximum
//! as a value, since it has no access to the configuration. A login still uses the shorter of the
//! two, for limits that were stored before the configuration was reduced.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::SessionLimits;
use crate::office::error::{FieldName, OfficeError, RangeViolation};

type Limit = Option<Duration>;

/// Checks all limits and returns all errors. Limits that equal those in `before` are not compared
/// with `given`, because the configuration may allow less now.
pub(super) fn check_limits(
    before: &SessionLimits,
    after: &SessionLimits,
    given: &SessionLimits,
) -> Result<(), OfficeError> {
    let mut faults = Vec::new();
    // Returns the limit as it counts beside the others: at most the given one, and none if it is
    // invalid.
    let mut hold = |field, from: Limit, to: Limit, given: Limit, bounds: RangeInclusive<Duration>| {
        let span = to?;
        let longest = given.filter(|given| from != to && given < bounds.end());
        let most = longest.unwrap_or(*bounds.end());
        let least = most.min(*bounds.start());
        if (least..=most).contains(&span) {
            return Some(given.map_or(span, |given| span.min(given)));
        }
        faults.push(RangeViolation { field, min: least, max: most, configured: longest.is_some() });
        None
    };
    let access = hold(FieldName::Access, before.access, after.access, given.access, SessionLimits::ACCESS_RANGE);
    let (shortest, longest) = SessionLimits::IDLE_RANGE.into_inner();
    let least = access.map_or(shortest, |access| access.max(shortest));
    let idle = hold(FieldName::Idle, before.idle, after.idle, given.idle, least..=longest);
    let (shortest, longest) = SessionLimits::ABSOLUTE_RANGE.into_inner();
    let least = idle.or(access).map_or(shortest, |span| span.max(shortest));
    hold(FieldName::Absolute, before.absolute, after.absolute, given.absolute, least..=longest);
    // The grace period must be shorter than the lifetime of an access token.
    let (shortest, longest) = SessionLimits::OVERLAP_RANGE.into_inner();
    let most = after.access.filter(|_| access.is_some()).map_or(longest, |access| access.min(longest));
    hold(FieldName::Overlap, before.overlap, after.overlap, given.overlap, shortest..=most);
    if faults.is_empty() { Ok(()) } else { Err(OfficeError::OutOfRange(faults)) }
}

#[cfg(test)]
mod tests;
