//! What stands against a login besides its password. Pure; asked after the right password only.

use tillgate_domain::{DeviceStatus, UserStatus, access};

use super::LoginSubject;
use crate::{LoginDenied, LoginIdentity, LoginRequest};

/// Refuses where the user, the device or the two together stand against it.
/// A user who must change the password is refused last of all, unless the login `changes_password`.
pub(super) fn check_account(
    login: &LoginRequest,
    found: &LoginSubject,
    changes_password: bool,
) -> Result<(), LoginDenied> {
    match &login.identity {
        LoginIdentity::User { device, .. } => {
            let user = found.user.as_ref().ok_or(LoginDenied::Mismatch)?;
            match user.status {
                UserStatus::Active => {}
                UserStatus::Pending => return Err(LoginDenied::Pending),
                UserStatus::Suspended => return Err(LoginDenied::Suspended),
                UserStatus::Deleted => return Err(LoginDenied::Mismatch),
            }
            if user.is_virtual() {
                return Err(LoginDenied::VirtualUser);
            }
            let there = match (device, &found.device) {
                (None, _) => access::may_log_in(user, None),
                (Some(_), Some(device)) => {
                    device.status == DeviceStatus::Active && access::may_log_in(user, Some(device))
                }
                (Some(_), None) => false,
            };
            match (there, user.password_change_required && !changes_password) {
                (false, _) => Err(LoginDenied::DeviceNotAllowed),
                (true, true) => Err(LoginDenied::PasswordChangeRequired),
                (true, false) => Ok(()),
            }
        }
        LoginIdentity::Device { .. } => match found.device.as_ref().map(|device| device.status) {
            Some(DeviceStatus::Active) => Ok(()),
            Some(DeviceStatus::Pending) => Err(LoginDenied::Pending),
            Some(DeviceStatus::Locked) => Err(LoginDenied::Suspended),
            Some(DeviceStatus::Retired) => Err(LoginDenied::Retired),
            None => Err(LoginDenied::Mismatch),
        },
    }
}
