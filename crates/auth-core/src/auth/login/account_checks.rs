//! The checks of an account that a login must pass besides its password. A pure function over what
//! the store has.

use tillgate_domain::{DeviceStatus, UserStatus, principal_access};

use super::LoginSubject;
use crate::{LoginDenied, LoginIdentity, LoginRequest};

/// Checks the status of the user and the device, and whether the user may log in on the device.
///
/// [`LoginDenied::PasswordChangeRequired`] comes last, so that it is reported only if the login
/// would succeed otherwise; a login that `changes_password` passes.
pub(super) fn check_account(
    login: &LoginRequest,
    subject: &LoginSubject,
    changes_password: bool,
) -> Result<(), LoginDenied> {
    match &login.identity {
        LoginIdentity::User { device, .. } => {
            let user = subject.user.as_ref().ok_or(LoginDenied::Mismatch)?;
            match user.status {
                UserStatus::Active => {}
                UserStatus::Pending => return Err(LoginDenied::Pending),
                UserStatus::Suspended => return Err(LoginDenied::Suspended),
                UserStatus::Deleted => return Err(LoginDenied::Mismatch),
            }
            if user.is_virtual() {
                return Err(LoginDenied::VirtualUser);
            }
            let may_log_in_there = match (device, &subject.device) {
                (None, _) => principal_access::may_log_in(user, None),
                // in till mode, users sign in through the session of the till
                (Some(_), Some(device)) => {
                    device.status == DeviceStatus::Active
                        && !device.till_mode
                        && principal_access::may_log_in(user, Some(device))
                }
                (Some(_), None) => false,
            };
            match (may_log_in_there, user.password_change_required && !changes_password) {
                (false, _) if login.requires_office_right && device.is_none() => Err(LoginDenied::OfficeRoleMissing),
                (false, _) => Err(LoginDenied::DeviceNotAllowed),
                (true, true) => Err(LoginDenied::PasswordChangeRequired),
                (true, false) => Ok(()),
            }
        }
        LoginIdentity::Device { .. } => match subject.device.as_ref().map(|device| device.status) {
            Some(DeviceStatus::Active) => Ok(()),
            Some(DeviceStatus::Pending) => Err(LoginDenied::Pending),
            Some(DeviceStatus::Locked) => Err(LoginDenied::Suspended),
            Some(DeviceStatus::Retired) => Err(LoginDenied::Retired),
            None => Err(LoginDenied::Mismatch),
        },
    }
}
