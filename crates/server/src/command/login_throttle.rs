//! Whether logins of a user or device are denied after failed logins, for `user show` and
//! `device show`.

use tillgate_auth_core::throttle::LoginThrottle;
use tillgate_domain::PrincipalId;

use super::CommandError;
use super::confirmation::count_text;
use super::json::format_instant;
use super::office::CommandOffice;
use crate::composition;

/// Why logins of a user or device are denied now; `None` if they are not.
pub(super) fn find_login_throttle(
    office: &CommandOffice,
    principal: PrincipalId,
) -> Result<Option<LoginThrottle>, CommandError> {
    // without keys, no server has run, and no login can have failed
    if !composition::has_keys(&office.database)? {
        return Ok(None);
    }
    let engine = composition::build_command_engine(&office.settings, &office.database)?;
    engine.find_login_throttle(principal).map_err(CommandError::failed)
}

/// Until when logins are denied, and from where.
pub(super) fn describe_login_throttle(throttle: Option<LoginThrottle>) -> String {
    throttle.map_or_else(
        || "none".to_owned(),
        |LoginThrottle { until, failures }| {
            let failures = count_text(usize::try_from(failures).unwrap_or(usize::MAX), "failed login");
            format!("until {}, from unknown networks, after {failures}", format_instant(until))
        },
    )
}
