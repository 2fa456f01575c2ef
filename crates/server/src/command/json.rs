//! JSON output of the commands: members named as in the native API, times in RFC 3339.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};
use tillgate_auth_core::ports::SessionView;
use tillgate_domain::office::EventView;
use tillgate_domain::{Branch, Device, DeviceId, ExactJson, Instant, Role, RoleId, Tenant, User};
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

/// RFC 3339 in UTC, always with milliseconds, so that table columns align.
const INSTANT_FORMAT: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

/// The names of roles and devices by their ids.
#[derive(Debug, Default)]
pub(super) struct NameLookup {
    pub(super) roles: BTreeMap<RoleId, String>,
    pub(super) devices: BTreeMap<DeviceId, String>,
}

impl NameLookup {
    /// Role names in alphabetical order; an id that has no role is shown as the id.
    pub(super) fn role_names(&self, ids: &BTreeSet<RoleId>) -> Vec<String> {
        let name = |id: &RoleId| self.roles.get(id).cloned().unwrap_or_else(|| id.to_string());
        let mut names: Vec<String> = ids.iter().map(name).collect();
        names.sort();
        names
    }

    /// The name of a device, or its id if there is no such device.
    pub(super) fn device_name(&self, id: DeviceId) -> String {
        self.devices.get(&id).cloned().unwrap_or_else(|| id.to_string())
    }

    /// The roles of a user in short form: `admin P01=cashier,manager P02=`.
    pub(super) fn assignment_text(&self, user: &User) -> String {
        let office = self.role_names(&user.assignment.office).join(",");
        let devices = user.assignment.devices.iter();
        let mut devices: Vec<String> = devices
            .map(|(device, roles)| format!("{}={}", self.device_name(*device), self.role_names(roles).join(",")))
            .collect();
        devices.sort();
        [office].into_iter().filter(|office| !office.is_empty()).chain(devices).collect::<Vec<_>>().join(" ")
    }

    /// A user with the names of their roles and devices.
    pub(super) fn user_json(&self, user: &User) -> Value {
        let on = |(device, roles): (&DeviceId, &BTreeSet<RoleId>)| json!({ "device": self.device_name(*device), "roles": self.role_names(roles) });
        json!({
            "id": user.id,
            "user_name": user.name,
            "email": user.email,
            "display_name": user.display_name,
            "status": user.status.name(),
            "virtual": user.is_virtual(),
            "password_change_required": user.password_change_required,
            "roles": self.role_names(&user.assignment.office),
            "devices": user.assignment.devices.iter().map(on).collect::<Vec<_>>(),
            "created_at": format_instant(user.created_at),
            "updated_at": format_instant(user.updated_at),
        })
    }

    /// A device; its preferences keep their exact digits.
    pub(super) fn device_json(&self, device: &Device) -> ExactJson {
        let document = json!({
            "id": device.id,
            "name": device.name,
            "environment": device.environment.name(),
            "status": device.status.name(),
            "description": device.description,
            "settings": device.settings,
            "roles": self.role_names(&device.roles),
            "last_seen_at": device.last_seen_at.map(format_instant),
        });
        let preferences = ("preferences".to_owned(), ExactJson::from(&device.preferences));
        ExactJson::from(&document).with_members(std::iter::once(preferences))
    }
}

/// A role with its rights and environments.
pub(super) fn role_json(role: &Role) -> Value {
    json!({
        "name": role.name,
        "label": role.label,
        "description": role.description,
        "rights": role.rights,
        "environments": role.environments.iter().map(|each| each.name()).collect::<Vec<_>>(),
        "built_in": role.built_in,
    })
}

/// A tenant with its session limits in seconds and its stores.
pub(super) fn tenant_json(tenant: &Tenant) -> Value {
    json!({
        "slug": tenant.slug.as_str(),
        "name": tenant.name,
        "zone": tenant.zone.name(),
        "locale": tenant.locale.as_str(),
        "limits": {
            "access": to_seconds(tenant.limits.access),
            "idle": to_seconds(tenant.limits.idle),
            "absolute": to_seconds(tenant.limits.absolute),
            "overlap": to_seconds(tenant.limits.overlap),
        },
        "stores": tenant.branches.iter().map(|store| store.name.as_str()).collect::<Vec<_>>(),
    })
}

fn to_seconds(span: Option<Duration>) -> Option<u64> {
    span.map(|span| span.as_secs())
}

/// A store with its id and name.
pub(super) fn store_json(store: &Branch) -> Value {
    json!({ "id": store.id, "name": store.name })
}

/// A session with the names of its user and device.
pub(super) fn session_json(view: &SessionView) -> Value {
    let session = &view.session;
    json!({
        "id": session.id,
        "user": session.user.map(|id| json!({ "id": id, "user_name": view.user_name })),
        "device": session.device.map(|id| json!({ "id": id, "name": view.device_name })),
        "mount": session.dialect.as_str(),
        "created_at": format_instant(session.created_at),
        "last_used_at": session.last_used_at.map(format_instant),
        "expires_at": session.expires_at.map(format_instant),
        "ended_at": session.ended.map(|(at, _)| format_instant(at)),
        "ended_why": session.ended.map(|(_, why)| why.name()),
    })
}

/// An audit event with the names of its user and device.
pub(super) fn event_json(view: &EventView) -> Value {
    let event = &view.event;
    json!({
        "id": event.id,
        "at": format_instant(event.at),
        "tenant": event.tenant,
        "user": event.actor.user.map(|id| json!({ "id": id, "user_name": view.user_name })),
        "device": event.actor.device.map(|id| json!({ "id": id, "name": view.device_name })),
        "session": event.actor.session,
        "address": event.actor.address,
        "action": event.action.name(),
        "subject": { "kind": event.subject.kind().name(), "id": event.subject.uuid() },
        "outcome": event.outcome.name(),
        "details": event.details,
        "approver": event.approver,
    })
}

/// A duration in its largest whole unit, in the format of settings: `20h`, `90s`.
pub(super) fn format_span(span: Duration) -> String {
    let (millis, units) = (span.as_millis(), [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)]);
    let whole = units.into_iter().find(|(_, unit)| millis > 0 && millis % unit == 0);
    whole.map_or_else(|| format!("{millis}ms"), |(name, unit)| format!("{}{name}", millis / unit))
}

/// A time in RFC 3339 (UTC), or in milliseconds since 1970 if RFC 3339 cannot express it.
pub(crate) fn format_instant(at: Instant) -> String {
    let nanos = i128::from(at.millis()) * 1_000_000;
    let text = OffsetDateTime::from_unix_timestamp_nanos(nanos).ok().and_then(|at| at.format(INSTANT_FORMAT).ok());
    text.unwrap_or_else(|| at.millis().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_use_their_largest_whole_unit() {
        for (seconds, text) in [(86_400, "1d"), (72_000, "20h"), (5_400, "90m"), (90, "90s"), (0, "0ms")] {
            assert_eq!(format_span(Duration::from_secs(seconds)), text);
        }
        assert_eq!(format_span(Duration::from_millis(1_500)), "1500ms");
    }

    #[test]
    fn instants_are_rfc_3339_in_utc() {
        assert_eq!(format_instant(Instant::from_millis(1_800_000_000_123)), "2027-01-15T08:00:00.123Z");
        assert_eq!(format_instant(Instant::from_millis(0)), "1970-01-01T00:00:00.000Z");
        assert_eq!(format_instant(Instant::from_millis(i64::MAX)), i64::MAX.to_string());
    }
}
