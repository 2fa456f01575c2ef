//! `device show`: shows a device, and what keeps it or its users from logging in.

use serde::Serialize;
use tillgate_domain::Device;
use tillgate_domain::PrincipalId;
use tillgate_domain::office::SessionTarget;
use tillgate_http::native_bodies::{DeviceBody, DeviceKeyBody, EnrollmentBody};

use super::super::json::{format_instant, join_names};
use super::super::login_throttle::{describe_login_throttle, find_login_throttle};
use super::super::office::CommandOffice;
use super::super::session::{count_live_sessions, find_last_use};
use super::super::{CommandError, print};
use super::{keys, store_name, waiting};

/// A device as the native API shows it, with what only this command prints.
#[derive(Serialize)]
struct ShownDevice<'d> {
    #[serde(flatten)]
    device: DeviceBody<'d>,
    users: &'d [&'d str],
    key: Option<DeviceKeyBody<'d>>,
    enrollment: Option<EnrollmentBody<'d>>,
    sessions: usize,
}

/// Prints a device.
pub(super) fn show_device(office: &CommandOffice, device: &Device, json: bool) -> Result<(), CommandError> {
    let view = office.load_device_view(device)?;
    let throttle = find_login_throttle(office, PrincipalId::Device(device.id))?;
    let users = office.list_users()?;
    let assigned = users.iter().filter(|user| user.assignment.devices.contains_key(&device.id));
    let people: Vec<&str> = assigned.map(|user| user.name.as_str()).collect();
    let key = keys::find_current_key(office, device)?;
    let enrollment = waiting::find_unfinished_enrollment(office, device)?;
    let sessions = count_live_sessions(office, SessionTarget::Device(device.id))?.total;
    let last_use = find_last_use(office, device)?;
    if json {
        let body = DeviceBody::from_view(&view).with_login_throttle(throttle).with_last_use(last_use);
        let enrollment = enrollment.as_ref().map(|(enrollment, pending)| {
            let now = office.ids.now();
            EnrollmentBody::from_enrollment(enrollment, now).with_pending(pending.as_ref(), None, now)
        });
        let key = key.as_ref().map(DeviceKeyBody::from_key);
        print::print_result(true, "", &ShownDevice { device: body, users: &people, key, enrollment, sessions });
        return Ok(());
    }
    let or_none = |text: String| if text.is_empty() { "none".to_owned() } else { text };
    let settings: Vec<String> = device.settings.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let rows = [
        ("name", device.name.to_string()),
        ("environment", device.environment.name().to_owned()),
        ("status", device.status.name().to_owned()),
        ("description", or_none(device.description.clone())),
        ("store", or_none(store_name(&view))),
        ("till mode", if device.till_mode { "on" } else { "off" }.to_owned()),
        ("roles", or_none(join_names(&view.roles))),
        ("users", or_none(people.join(","))),
        ("settings", or_none(settings.join(" "))),
        ("key", key.as_ref().map_or_else(|| "none".to_owned(), keys::describe_key)),
        ("enrollment", enrollment.as_ref().map_or_else(|| "none".to_owned(), waiting::describe_enrollment)),
        ("sessions", sessions.to_string()),
        ("lockout", describe_login_throttle(throttle)),
        ("last seen", last_use.map_or_else(|| "never".to_owned(), format_instant)),
        ("created", format_instant(device.created_at)),
        ("changed", format_instant(device.updated_at)),
        ("id", device.id.to_string()),
    ];
    print::print_fields(&rows);
    Ok(())
}
