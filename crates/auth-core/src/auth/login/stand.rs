//! What stands against a login besides its password. Pure; asked after the right password only.

use tillgate_domain::{DeviceStatus, UserStatus, access};

use super::Found;
use crate::{Login, LoginRefusal, Who};

/// Refuses where the user, the device or the two together stand against it.
/// A user who must change the password is refused last of all, unless the login `changes_password`.
pub(super) fn judge(login: &Login, found: &Found, changes_password: bool) -> Result<(), LoginRefusal> {
    match &login.who {
        Who::User { device, .. } => {
            let user = found.user.as_ref().ok_or(LoginRefusal::Mismatch)?;
            match user.status {
                UserStatus::Active => {}
                UserStatus::Pending => return Err(LoginRefusal::Pending),
                UserStatus::Suspended => return Err(LoginRefusal::Suspended),
                UserStatus::Deleted => return Err(LoginRefusal::Mismatch),
            }
            if user.is_virtual() {
                return Err(LoginRefusal::Virtual);
            }
            let there = match (device, &found.device) {
                (None, _) => access::admits(user, None),
                (Some(_), Some(device)) => device.status == DeviceStatus::Active && access::admits(user, Some(device)),
                (Some(_), None) => false,
            };
            match (there, user.password_change_required && !changes_password) {
                (false, _) => Err(LoginRefusal::NotThere),
                (true, true) => Err(LoginRefusal::PasswordChangeRequired),
                (true, false) => Ok(()),
            }
        }
        Who::Device { .. } => match found.device.as_ref().map(|device| device.status) {
            Some(DeviceStatus::Active) => Ok(()),
            Some(DeviceStatus::Pending) => Err(LoginRefusal::Pending),
            Some(DeviceStatus::Locked) => Err(LoginRefusal::Suspended),
            Some(DeviceStatus::Retired) => Err(LoginRefusal::Retired),
            None => Err(LoginRefusal::Mismatch),
        },
    }
}
