//! The devices on which a user may log in.

use tillgate_domain::{Device, DeviceStatus, StoreExt, principal_access};

use super::Auth;
use crate::{Caller, Error};

impl Auth {
    /// The devices on which the caller may log in now, by name: the active ones that the user is
    /// assigned to. Empty for a device that is logged in as itself. Reads the store.
    pub fn list_login_devices(&self, caller: &Caller) -> Result<Vec<Device>, Error> {
        let Some(id) = caller.user() else { return Ok(Vec::new()) };
        let mut devices = self.store.read("list_login_devices", |tx| {
            let Some(user) = tx.users().find(id)? else { return Ok(Vec::new()) };
            let mut open = Vec::new();
            for id in user.assignment.devices.keys() {
                let device = tx.devices().find(*id)?;
                let is_active = |device: &Device| device.status == DeviceStatus::Active;
                open.extend(
                    device.filter(|device| is_active(device) && principal_access::may_log_in(&user, Some(device))),
                );
            }
            Ok(open)
        })?;
        devices.sort_by(|one, other| one.name.as_str().cmp(other.name.as_str()));
        Ok(devices)
    }
}
