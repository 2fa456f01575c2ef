//! Devices in responses of the native API.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Serialize;
use tillgate_auth_core::ports::SessionView;
use tillgate_auth_core::throttle::LoginThrottle;
use tillgate_domain::office::DeviceView;
use tillgate_domain::{DeviceId, Instant, JsonObject, RoleName, SessionId, UserId};
use utoipa::ToSchema;

use crate::api::native::login_throttle::LoginThrottleBody;
use crate::api::native::schemas::{DeviceStatus, EndedWhy, Environment, Omittable};
use crate::api::native::stores::StoreBody;
use crate::timestamps::{serialize_instant, serialize_optional_instant};

/// A device on which users log in, or which logs in as itself.
#[derive(Serialize, ToSchema)]
#[schema(as = Device)]
pub struct DeviceBody<'d> {
    /// Id of the device; it never changes.
    #[schema(value_type = uuid::Uuid)]
    id: DeviceId,
    /// Name of the device in logins.
    name: &'d str,
    /// Kind of the device: a till, a handheld, a back-office program or a tool.
    #[schema(value_type = Environment)]
    environment: &'static str,
    /// Status of the device; logins require `active`.
    #[schema(value_type = DeviceStatus)]
    status: &'static str,
    /// Where the device is or what it is for.
    description: &'d str,
    /// Preferences that the program on the device stores for itself.
    #[schema(value_type = Object)]
    preferences: &'d JsonObject,
    /// Settings that the back office makes for the program on the device.
    settings: &'d BTreeMap<String, String>,
    /// The store in which the device is; null if it is in none.
    store: Option<StoreBody<'d>>,
    /// Whether users work on the device as operators, who sign in under its own session.
    till_mode: bool,
    /// Who is logged in on the till or handheld now; null if nobody is. Only with `with=seat`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<SeatBody>)]
    seat: Omittable<SeatBody<'d>>,
    /// Who was logged in last, if nobody is now; null if unknown. Only with `with=seat`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<LastSeatBody>)]
    last_seat: Omittable<LastSeatBody<'d>>,
    /// Names of the roles that apply when the device logs in as itself.
    #[schema(value_type = Vec<String>)]
    roles: &'d [RoleName],
    /// Why logins of the device as itself are denied now after failed logins; null if they are not.
    /// Only in `devices/{id}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<LoginThrottleBody>)]
    login_throttle: Omittable<LoginThrottleBody>,
    /// When a session on the device was last used, with a resolution of one minute; null if never.
    #[serde(serialize_with = "serialize_optional_instant")]
    #[schema(value_type = Option<String>, format = DateTime)]
    last_seen_at: Option<Instant>,
    /// When the device was created.
    #[serde(serialize_with = "serialize_instant")]
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
    /// When the device was last changed.
    #[serde(serialize_with = "serialize_instant")]
    #[schema(value_type = String, format = DateTime)]
    updated_at: Instant,
}

impl<'d> DeviceBody<'d> {
    /// Converts a device with the names of its roles.
    pub fn from_view(view: &'d DeviceView) -> Self {
        let device = &view.device;
        Self {
            id: device.id,
            name: device.name.as_str(),
            environment: device.environment.name(),
            status: device.status.name(),
            description: &device.description,
            preferences: &device.preferences,
            settings: &device.settings,
            store: view.store.as_ref().map(StoreBody::from_branch),
            till_mode: device.till_mode,
            seat: None,
            last_seat: None,
            roles: &view.roles,
            login_throttle: None,
            last_seen_at: device.last_seen_at,
            created_at: device.created_at,
            updated_at: device.updated_at,
        }
    }

    /// Adds why logins are denied now after failed logins.
    #[must_use]
    pub fn with_login_throttle(self, throttle: Option<LoginThrottle>) -> Self {
        Self { login_throttle: Some(throttle.map(LoginThrottleBody::from_throttle)), ..self }
    }

    /// The device with its newest login, refresh or other request, if it is known. Without this,
    /// logins and refreshes do not count.
    #[must_use]
    pub fn with_last_use(self, at: Option<Instant>) -> Self {
        Self { last_seen_at: at, ..self }
    }

    /// Adds the session in the device's seat, which is one of these if it is still stored.
    pub(super) fn with_seat(
        self,
        view: &DeviceView,
        sessions: &'d BTreeMap<SessionId, SessionView>,
        now: Instant,
        shows_address: bool,
    ) -> Self {
        let found = view.device.seat.and_then(|id| sessions.get(&id));
        let ended = found.and_then(|found| Some((found, found.session.end_as_of(now)?)));
        let seat = found.filter(|_| ended.is_none()).map(|found| SeatBody::from_view(found, shows_address));
        let last_seat = ended.map(|(found, (ended_at, ended_why))| LastSeatBody {
            user: SeatUserBody::from_view(found),
            ended_at,
            ended_why: ended_why.name(),
        });
        Self { seat: Some(seat), last_seat: Some(last_seat), ..self }
    }
}

/// The live session on a till or handheld.
#[derive(Serialize, ToSchema)]
#[schema(as = Seat)]
struct SeatBody<'s> {
    /// Id of the session.
    #[schema(value_type = uuid::Uuid)]
    session_id: SessionId,
    /// The user who is logged in.
    user: Option<SeatUserBody<'s>>,
    /// Name of the dialect through which the user logged in.
    mount: &'s str,
    /// When the user logged in.
    #[serde(serialize_with = "serialize_instant")]
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
    /// When the session was last used, with a resolution of one minute; null if never.
    #[serde(serialize_with = "serialize_optional_instant")]
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Instant>,
    /// Network address of the newest refresh, or of the login before the first one; null if
    /// unknown. Only for callers with the right `sessionDelete`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    address: Omittable<IpAddr>,
}

/// The session that was on a till or handheld last.
#[derive(Serialize, ToSchema)]
#[schema(as = LastSeat)]
struct LastSeatBody<'s> {
    /// The user who was logged in.
    user: Option<SeatUserBody<'s>>,
    /// When the session ended.
    #[serde(serialize_with = "serialize_instant")]
    #[schema(value_type = String, format = DateTime)]
    ended_at: Instant,
    /// Why the session ended.
    #[schema(value_type = EndedWhy)]
    ended_why: &'static str,
}

#[derive(Serialize, ToSchema)]
#[schema(as = SeatUser)]
struct SeatUserBody<'s> {
    /// Id of the user.
    #[schema(value_type = uuid::Uuid)]
    id: UserId,
    /// Name of the user in logins.
    user_name: &'s str,
    /// Display name of the user.
    display_name: &'s str,
}

impl<'s> SeatBody<'s> {
    fn from_view(view: &'s SessionView, shows_address: bool) -> Self {
        let session = &view.session;
        Self {
            session_id: session.id,
            user: SeatUserBody::from_view(view),
            mount: session.dialect.as_str(),
            created_at: session.created_at,
            last_used_at: session.last_used_at,
            address: shows_address.then(|| session.rotated_from.or(session.address)),
        }
    }
}

impl<'s> SeatUserBody<'s> {
    fn from_view(view: &'s SessionView) -> Option<Self> {
        Some(Self {
            id: view.session.user?,
            user_name: view.user_name.as_ref()?.as_str(),
            display_name: view.display_name.as_deref()?,
        })
    }
}
