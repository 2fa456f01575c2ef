//! Sessions, tokens and the caller in responses of the native API. The bodies borrow what the
//! engine has in memory and are serialized once.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Serialize;
use tillgate_auth_core::ports::SessionView;
use tillgate_auth_core::{Caller, IssuedTokens, Profile};
use tillgate_domain::{DeviceId, DeviceName, Email, Instant, Rights, SessionId, UserId, UserName};
use utoipa::ToSchema;

use crate::api::native::schemas::{self, Environment, Omittable};
use crate::timestamps::{serialize_instant, serialize_optional_instant};

/// A session. `user` and `device` are null if the session has none.
#[derive(Serialize, ToSchema)]
#[schema(as = Session)]
pub struct SessionBody<'s> {
    /// Id of the session; it never changes.
    #[schema(value_type = uuid::Uuid)]
    id: SessionId,
    /// The user; null if a device is logged in as itself.
    user: Option<SessionUserBody<'s>>,
    /// The device; null if the user is logged in without one.
    device: Option<SessionDeviceBody<'s>>,
    /// Id of the session of the till, with which this one ends. Only for operators, and not in
    /// `sessions/current`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<uuid::Uuid>)]
    parent: Option<SessionId>,
    /// Name of the dialect through which the session was created.
    mount: &'s str,
    /// What the session was created for: a user who logged in, a device that logged in as itself,
    /// or a permanent token of a device. Only in the list and in `sessions/{id}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schemas::SessionKind>)]
    kind: Option<&'static str>,
    /// How the user or device was authenticated (RFC 8176), such as `pwd`. Only in the list and in
    /// `sessions/{id}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    methods: Option<Vec<&'s str>>,
    /// When the user or device was authenticated. Only in the list and in `sessions/{id}`.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "serialize_optional_instant")]
    #[schema(value_type = Option<String>, format = DateTime)]
    proved_at: Option<Instant>,
    /// Network address of the newest refresh, or of the login before the first one; null if
    /// unknown. Only in the list and in `sessions/{id}`, and only for callers with the right
    /// `sessionDelete`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    address: Omittable<IpAddr>,
    /// When the session was created by a login.
    #[serde(serialize_with = "serialize_instant")]
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
    /// When the session was last used, with a resolution of one minute; null if never.
    #[serde(serialize_with = "serialize_optional_instant")]
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Instant>,
    /// When the session expires by its terms; null if never.
    #[serde(serialize_with = "serialize_optional_instant")]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Instant>,
    /// When the session ended; null while it is live.
    #[serde(serialize_with = "serialize_optional_instant")]
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Instant>,
    /// Why the session ended; null while it is live.
    #[schema(value_type = Option<schemas::EndedWhy>)]
    ended_why: Option<&'static str>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = SessionUser)]
struct SessionUserBody<'s> {
    /// Id of the user.
    #[schema(value_type = uuid::Uuid)]
    id: UserId,
    /// Name of the user in logins; omitted in `sessions/current`.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_name: Option<&'s str>,
    /// Display name of the user. Only in the list and in `sessions/{id}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<&'s str>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = SessionDevice)]
struct SessionDeviceBody<'s> {
    /// Id of the device.
    #[schema(value_type = uuid::Uuid)]
    id: DeviceId,
    /// Name of the device in logins; omitted in `sessions/current`.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'s str>,
}

/// The tokens of a session (RFC 6749, 5.1) with additional members.
#[derive(Serialize, ToSchema)]
#[schema(as = Tokens)]
pub(in crate::api::native) struct TokensBody<'s> {
    /// The access token, for `Authorization` with the scheme `token_type`.
    access_token: &'s str,
    /// `Bearer`, or `DPoP` if the session is bound to a key of the client.
    token_type: &'static str,
    /// Lifetime of the access token, in seconds.
    expires_in: u64,
    /// When the access token expires.
    #[serde(serialize_with = "serialize_instant")]
    #[schema(value_type = String, format = DateTime)]
    expires_at: Instant,
    /// The refresh token, for the next refresh.
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'s str>,
    /// When the session expires unless it is refreshed before; null if never.
    #[serde(serialize_with = "serialize_optional_instant")]
    #[schema(value_type = Option<String>, format = DateTime)]
    refresh_expires_at: Option<Instant>,
    /// The session of the tokens.
    session: SessionBody<'s>,
}

/// The authenticated caller.
#[derive(Serialize, ToSchema)]
#[schema(as = Current)]
pub(crate) struct CallerBody<'s> {
    /// The session; null if a program authenticated with an API key.
    session: Option<SessionBody<'s>>,
    /// The user; null if a device is logged in as itself.
    user: Option<CallerUserBody<'s>>,
    /// The device; null if the user is logged in without one.
    device: Option<CallerDeviceBody<'s>>,
    /// The current rights of the caller.
    #[schema(value_type = Vec<String>)]
    rights: &'s Rights,
}

#[derive(Serialize, ToSchema)]
#[schema(as = CurrentUser)]
struct CallerUserBody<'s> {
    /// Id of the user.
    #[schema(value_type = uuid::Uuid)]
    id: UserId,
    /// Name of the user in logins.
    user_name: &'s str,
    /// Display name of the user.
    display_name: &'s str,
    /// E-mail address of the user; null if none.
    email: Option<&'s str>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = CurrentDevice)]
struct CallerDeviceBody<'s> {
    /// Id of the device.
    #[schema(value_type = uuid::Uuid)]
    id: DeviceId,
    /// Name of the device in logins.
    name: &'s str,
    /// Kind of the device.
    #[schema(value_type = Environment)]
    environment: &'static str,
    /// Settings that the back office makes for the program on the device.
    settings: &'s BTreeMap<String, String>,
}

impl<'s> SessionBody<'s> {
    /// Converts a session of a list. An expired session is reported as ended at its expiry, whether
    /// or not its end has been recorded.
    pub fn from_view(view: &'s SessionView, now: Instant, shows_address: bool) -> Self {
        let session = &view.session;
        let ended = session.end_as_of(now);
        Self {
            id: session.id,
            user: session.user.map(|id| SessionUserBody {
                id,
                user_name: view.user_name.as_ref().map(UserName::as_str),
                display_name: view.display_name.as_deref(),
            }),
            device: session
                .device
                .map(|id| SessionDeviceBody { id, name: view.device_name.as_ref().map(DeviceName::as_str) }),
            parent: session.parent,
            mount: session.dialect.as_str(),
            kind: Some(session.kind.name()),
            methods: Some(session.authentication.methods.split_whitespace().collect()),
            proved_at: Some(session.authentication.at),
            address: shows_address.then(|| session.rotated_from.or(session.address)),
            created_at: session.created_at,
            last_used_at: session.last_used_at,
            expires_at: session.expires_at,
            ended_at: ended.map(|(at, _)| at),
            ended_why: ended.map(|(_, why)| why.name()),
        }
    }

    fn from_issued_tokens(issued: &'s IssuedTokens) -> Self {
        let (session, profile) = (&issued.session, &issued.profile);
        Self {
            id: session.id,
            user: profile.user.as_ref().map(|user| SessionUserBody {
                id: user.id,
                user_name: Some(user.name.as_str()),
                display_name: None,
            }),
            device: profile
                .device
                .as_ref()
                .map(|device| SessionDeviceBody { id: device.id, name: Some(device.name.as_str()) }),
            parent: session.parent,
            mount: session.dialect.as_str(),
            kind: None,
            methods: None,
            proved_at: None,
            address: None,
            created_at: session.created_at,
            last_used_at: session.last_used_at,
            expires_at: session.expires_at,
            ended_at: None,
            ended_why: None,
        }
    }

    /// The caller's own session, without the names that the caller's body already contains; `None`
    /// if the caller has no session.
    fn from_caller(caller: &'s Caller) -> Option<Self> {
        let session = caller.session_context()?;
        Some(Self {
            id: session.id,
            user: caller.user().map(|id| SessionUserBody { id, user_name: None, display_name: None }),
            device: caller.device.map(|id| SessionDeviceBody { id, name: None }),
            parent: None,
            mount: caller.dialect.as_str(),
            kind: None,
            methods: None,
            proved_at: None,
            address: None,
            created_at: session.created_at,
            last_used_at: Some(session.last_used_at),
            expires_at: session.session_expires_at,
            ended_at: None,
            ended_why: None,
        })
    }
}

impl<'s> TokensBody<'s> {
    pub(in crate::api::native) fn from_issued_tokens(issued: &'s IssuedTokens) -> Self {
        let refresh_token = issued.refresh_token.as_ref().map(|token| token.expose().as_str());
        Self {
            access_token: issued.access_token.expose(),
            token_type: if issued.session.thumbprint.is_some() { "DPoP" } else { "Bearer" },
            expires_in: issued.access_expires_in.as_secs(),
            expires_at: issued.access_expires_at,
            refresh_token,
            refresh_expires_at: issued.session_expires_at.filter(|_| refresh_token.is_some()),
            session: SessionBody::from_issued_tokens(issued),
        }
    }
}

impl<'s> CallerBody<'s> {
    pub(crate) fn from_caller(caller: &'s Caller) -> Self {
        Self::from_profile(SessionBody::from_caller(caller), &caller.profile)
    }

    /// The caller as whom these tokens authenticate.
    pub(crate) fn from_issued_tokens(issued: &'s IssuedTokens) -> Self {
        let SessionBody { user, device, .. } = SessionBody::from_issued_tokens(issued);
        let session = SessionBody {
            user: user.map(|user| SessionUserBody { user_name: None, ..user }),
            device: device.map(|device| SessionDeviceBody { name: None, ..device }),
            parent: None,
            ..SessionBody::from_issued_tokens(issued)
        };
        Self::from_profile(Some(session), &issued.profile)
    }

    fn from_profile(session: Option<SessionBody<'s>>, profile: &'s Profile) -> Self {
        let Profile { user, device, rights, .. } = profile;
        Self {
            session,
            user: user.as_ref().map(|user| CallerUserBody {
                id: user.id,
                user_name: user.name.as_str(),
                display_name: &user.display_name,
                email: user.email.as_ref().map(Email::as_str),
            }),
            device: device.as_ref().map(|device| CallerDeviceBody {
                id: device.id,
                name: device.name.as_str(),
                environment: device.environment.name(),
                settings: &device.settings,
            }),
            rights,
        }
    }
}
