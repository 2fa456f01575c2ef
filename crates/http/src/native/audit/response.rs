//! A line of the audit as the native API shows it.

use std::net::IpAddr;

use serde::Serialize;
use serde_json::{Map, Value};
use tillgate_domain::office::EventView;
use tillgate_domain::{DeviceId, DeviceName, EventId, Instant, SessionId, UserId, UserName};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::native::schemas::{AuditAction, AuditOutcome, AuditSubjectKind};
use crate::timestamps::serialize_instant;

/// A line of the audit.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditEvent)]
pub(super) struct AuditEventBody<'t> {
    /// It stays for good; a later line has a greater one.
    #[schema(value_type = Uuid)]
    id: EventId,
    /// When it was done.
    #[serde(serialize_with = "serialize_instant")]
    #[schema(value_type = String, format = DateTime)]
    at: Instant,
    /// Who did it; null where nobody could be told or the server did it itself.
    #[schema(inline)]
    user: Option<AuditUserBody<'t>>,
    /// On which device.
    #[schema(inline)]
    device: Option<AuditDeviceBody<'t>>,
    /// In which session.
    #[schema(value_type = Option<Uuid>)]
    session: Option<SessionId>,
    /// From which network address.
    #[schema(value_type = Option<String>)]
    address: Option<IpAddr>,
    /// What was done.
    #[schema(value_type = AuditAction)]
    action: &'static str,
    /// To what.
    #[schema(inline)]
    subject: AuditSubjectBody,
    /// How it went.
    #[schema(value_type = AuditOutcome)]
    outcome: &'static str,
    /// What else there is to know; its members depend on the action.
    #[schema(value_type = Object)]
    details: &'t Map<String, Value>,
    /// Who approved it besides.
    #[schema(value_type = Option<Uuid>)]
    approver: Option<UserId>,
}

/// A person, by the name that they have now; null where they are gone.
#[derive(Serialize, ToSchema)]
struct AuditUserBody<'t> {
    /// Which user.
    #[schema(value_type = Uuid)]
    id: UserId,
    /// The name that they have now; null where they are gone.
    user_name: Option<&'t str>,
}

/// A device, by the name that it has now.
#[derive(Serialize, ToSchema)]
struct AuditDeviceBody<'t> {
    /// Which device.
    #[schema(value_type = Uuid)]
    id: DeviceId,
    /// The name that it has now; null where it is gone.
    name: Option<&'t str>,
}

/// What something was done to; the server has no id.
#[derive(Serialize, ToSchema)]
struct AuditSubjectBody {
    /// What kind of thing it is.
    #[schema(value_type = AuditSubjectKind)]
    kind: &'static str,
    /// Which one; null where it is the server.
    id: Option<Uuid>,
}

impl<'t> AuditEventBody<'t> {
    pub(super) fn from_view(told: &'t EventView) -> Self {
        let event = &told.event;
        let (user_name, name) =
            (told.user_name.as_ref().map(UserName::as_str), told.device_name.as_ref().map(DeviceName::as_str));
        Self {
            id: event.id,
            at: event.at,
            user: event.actor.user.map(|id| AuditUserBody { id, user_name }),
            device: event.actor.device.map(|id| AuditDeviceBody { id, name }),
            session: event.actor.session,
            address: event.actor.address,
            action: event.action.name(),
            subject: AuditSubjectBody { kind: event.subject.kind().name(), id: event.subject.uuid() },
            outcome: event.outcome.name(),
            details: &event.details,
            approver: event.approver,
        }
    }
}
