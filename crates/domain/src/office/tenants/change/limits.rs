//! What the limits of a tenant's sessions may be: each within bounds of its own, no longer than the server's configuration gives, and
//! none at odds with another.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::SessionLimits;
use crate::office::error::{FieldName, OfficeError, RangeViolation};

type Limit = Option<Duration>;

/// Refuses limits that cannot be, all at once. Those that are `before` already are not held to what is `given`: the configuration
/// may give less by now.
pub(super) fn check_limits(
    before: &SessionLimits,
    after: &SessionLimits,
    given: &SessionLimits,
) -> Result<(), OfficeError> {
    let mut faults = Vec::new();
    // the limit as it counts beside the others: no longer than what is given, and not at all where it is at fault
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
    // a repeated refresh token outlives no access token
    let (shortest, longest) = SessionLimits::OVERLAP_RANGE.into_inner();
    let most = after.access.filter(|_| access.is_some()).map_or(longest, |access| access.min(longest));
    hold(FieldName::Overlap, before.overlap, after.overlap, given.overlap, shortest..=most);
    if faults.is_empty() { Ok(()) } else { Err(OfficeError::OutOfRange(faults)) }
}

#[cfg(test)]
mod tests;
