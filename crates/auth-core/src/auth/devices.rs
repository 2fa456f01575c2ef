//! The devices on which a user may log in.

use tillgate_domain::{Device, DeviceStatus, StoreExt, principal_access};

use super::Auth;
use crate::{Caller, Error};

/// A device on which a user may log in.
#[derive(Clone, Debug)]
pub struct LoginDevice {
    /// The device itself.
    pub device: Device,
    /// Whether a permanent token of the device has not ended. Generating another one ends it.
    pub has_permanent_token: bool,
}

impl Auth {
    /// The devices on which the caller may log in now, by name: the active ones that the user is
    /// assigned to. Empty for a device that is logged in as itself. Reads the store.
    pub fn list_login_devices(&self, caller: &Caller) -> Result<Vec<LoginDevice>, Error> {
        let Some(id) = caller.user() else { return Ok(Vec::new()) };
        let mut devices = self.store.read("list_login_devices", |tx| {
            let Some(user) = tx.users().find(id)? else { return Ok(Vec::new()) };
            let mut open = Vec::new();
            for id in user.assignment.devices.keys() {
                let Some(device) = tx.devices().find(*id)? else { continue };
                if device.status != DeviceStatus::Active || !principal_access::may_log_in(&user, Some(&device)) {
                    continue;
                }
                let paired = match device.pairing {
                    Some(session) => tx.sessions().find(session)?,
                    None => None,
                };
                let has_permanent_token = paired.is_some_and(|record| record.session.ended.is_none());
                open.push(LoginDevice { device, has_permanent_token });
            }
            Ok(open)
        })?;
        devices.sort_by(|one, other| one.device.name.as_str().cmp(other.device.name.as_str()));
        Ok(devices)
    }
}
