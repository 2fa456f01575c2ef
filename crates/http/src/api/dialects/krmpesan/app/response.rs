//! The bodies that the page of krmpesan receives.

use serde::Serialize;
use tillgate_auth_core::LoginDevice;
use tillgate_domain::{Device, DeviceId, SessionId};

/// The logged-in user.
#[derive(Serialize)]
pub(super) struct VisitBody<'g> {
    pub(super) token: &'g str,
    /// Lifetime of the token in seconds.
    pub(super) expires_in: u64,
    pub(super) name: &'g str,
}

#[derive(Serialize)]
pub(super) struct DeviceBody<'d> {
    id: DeviceId,
    name: &'d str,
    environment: &'static str,
    description: &'d str,
    /// Whether the device has a token, which another one replaces.
    has_token: bool,
}

impl<'d> DeviceBody<'d> {
    pub(super) fn from_login_device(listed: &'d LoginDevice) -> Self {
        let LoginDevice { device, has_permanent_token } = listed;
        let Device { id, name, environment, description, .. } = device;
        let has_token = *has_permanent_token;
        Self { id: *id, name: name.as_str(), environment: environment.name(), description, has_token }
    }
}

/// The three values that belong together.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GeneratedTokensBody<'g> {
    pub(super) id_token: &'g str,
    pub(super) refresh_token: &'g str,
    pub(super) device_id: SessionId,
}
