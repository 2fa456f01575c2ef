//! Audit events in responses of the native API.

use std::net::IpAddr;

use serde::Serialize;
use serde_json::{Map, Value};
use tillgate_domain::office::EventView;
use tillgate_domain::{DeviceId, DeviceName, EventId, Instant, SessionId, TenantId, UserId, UserName};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::native::schemas::{AuditAction, AuditOutcome, AuditSubjectKind};
use crate::timestamps::serialize_instant;

/// An audit event.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditEvent)]
pub struct AuditEventBody<'t> {
    /// Id of the event; later events have greater ids.
    #[schema(value_type = Uuid)]
    id: EventId,
    /// When the event happened.
    #[serde(serialize_with = "serialize_instant")]
    #[schema(value_type = String, format = DateTime)]
    at: Instant,
    /// The user who acted; null if the user is unknown or the server itself acted.
    #[schema(inline)]
    user: Option<AuditUserBody<'t>>,
    /// The device on which it happened; null if there was none.
    #[schema(inline)]
    device: Option<AuditDeviceBody<'t>>,
    /// The session in which it happened; null if there was none.
    #[schema(value_type = Option<Uuid>)]
    session: Option<SessionId>,
    /// The network address of the client; null if unknown.
    #[schema(value_type = Option<String>)]
    address: Option<IpAddr>,
    /// The action that was performed or denied.
    #[schema(value_type = AuditAction)]
    action: &'static str,
    /// The object of the action.
    #[schema(inline)]
    subject: AuditSubjectBody,
    /// Whether the action succeeded.
    #[schema(value_type = AuditOutcome)]
    outcome: &'static str,
    /// Further details; their members depend on the action.
    #[schema(value_type = Object)]
    details: &'t Map<String, Value>,
    /// The user who approved the action; null if no approval was needed.
    #[schema(value_type = Option<Uuid>)]
    approver: Option<UserId>,
}

/// An audit event with the id of its tenant, as commands and exports show it: they may contain
/// events of several tenants.
#[derive(Serialize)]
pub struct TenantAuditEventBody<'t> {
    #[serde(flatten)]
    event: AuditEventBody<'t>,
    tenant: Option<TenantId>,
}

impl<'t> TenantAuditEventBody<'t> {
    /// Converts an event with the names of its user and device.
    pub fn from_view(view: &'t EventView) -> Self {
        Self { event: AuditEventBody::from_view(view), tenant: view.event.tenant }
    }
}

/// A user, with the current user name.
#[derive(Serialize, ToSchema)]
struct AuditUserBody<'t> {
    /// Id of the user.
    #[schema(value_type = Uuid)]
    id: UserId,
    /// The current user name; null if the user no longer exists.
    user_name: Option<&'t str>,
}

/// A device, with its current name.
#[derive(Serialize, ToSchema)]
struct AuditDeviceBody<'t> {
    /// Id of the device.
    #[schema(value_type = Uuid)]
    id: DeviceId,
    /// The current name; null if the device no longer exists.
    name: Option<&'t str>,
}

/// The object of an action. The server itself has no id.
#[derive(Serialize, ToSchema)]
struct AuditSubjectBody {
    /// What kind of object it is.
    #[schema(value_type = AuditSubjectKind)]
    kind: &'static str,
    /// Id of the object; null for the server.
    id: Option<Uuid>,
}

impl<'t> AuditEventBody<'t> {
    /// Converts an event with the names of its user and device.
    pub fn from_view(view: &'t EventView) -> Self {
        let event = &view.event;
        let (user_name, name) =
            (view.user_name.as_ref().map(UserName::as_str), view.device_name.as_ref().map(DeviceName::as_str));
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
