//! The native API's shapes of sessions, users and devices. They borrow what the engine remembers and are written once.

use std::collections::BTreeMap;

use serde::Serialize;
use tillgate_auth_core::ports::SessionView;
use tillgate_auth_core::{Caller, IssuedTokens, Profile};
use tillgate_domain::{DeviceId, DeviceName, Email, EndReason, Instant, Rights, SessionId, UserId, UserName};
use utoipa::ToSchema;

use super::schemas::{self, Environment};
use crate::timestamps::{serialize_instant, serialize_optional_instant};

/// A session. `user` and `device` are null where it has none.
#[derive(Serialize, ToSchema)]
#[schema(as = Session)]
pub(super) struct SessionBody<'s> {
    /// It stays for good.
    #[schema(value_type = uuid::Uuid)]
    id: SessionId,
    /// Whose it is; null where a device is logged in as itself.
    user: Option<SessionUserBody<'s>>,
    /// The device that it is on; null in the office.
    device: Option<SessionDeviceBody<'s>>,
    /// The contract that it was made through.
    mount: &'s str,
    /// When it was logged in.
    #[serde(serialize_with = "serialize_instant")]
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
    /// When it was last used, to the minute; null where it was not yet.
    #[serde(serialize_with = "serialize_optional_instant")]
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Instant>,
    /// When it is over by its terms; null for never.
    #[serde(serialize_with = "serialize_optional_instant")]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Instant>,
    /// When it ended; null while it lives.
    #[serde(serialize_with = "serialize_optional_instant")]
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Instant>,
    /// Why it ended; null while it lives.
    #[schema(value_type = Option<schemas::EndedWhy>)]
    ended_why: Option<&'static str>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = SessionUser)]
struct SessionUserBody<'s> {
    /// Which user.
    #[schema(value_type = uuid::Uuid)]
    id: UserId,
    /// The name to log in under; not told in one's own `current`.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_name: Option<&'s str>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = SessionDevice)]
struct SessionDeviceBody<'s> {
    /// Which device.
    #[schema(value_type = uuid::Uuid)]
    id: DeviceId,
    /// The name to log in under; not told in one's own `current`.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'s str>,
}

/// What a login or a refresh answers (the members of RFC 6749, 5.1, and more).
#[derive(Serialize, ToSchema)]
#[schema(as = Tokens)]
pub(super) struct TokensBody<'s> {
    /// What goes into `Authorization: Bearer`.
    access_token: &'s str,
    /// Always `Bearer`.
    token_type: &'static str,
    /// For how many seconds the access token is good.
    expires_in: u64,
    /// When the access token is over.
    #[serde(serialize_with = "serialize_instant")]
    #[schema(value_type = String, format = DateTime)]
    expires_at: Instant,
    /// What the next refresh sends.
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'s str>,
    /// When the session is over if it is not refreshed before; null for never.
    #[serde(serialize_with = "serialize_optional_instant")]
    #[schema(value_type = Option<String>, format = DateTime)]
    refresh_expires_at: Option<Instant>,
    /// The session that they are of.
    session: SessionBody<'s>,
}

/// What somebody is told of themselves. `session` is null where the call is made in none.
#[derive(Serialize, ToSchema)]
#[schema(as = Current)]
pub(super) struct CallerBody<'s> {
    /// The session; null where a program calls by its key.
    session: Option<SessionBody<'s>>,
    /// Who it is; null where a device is logged in as itself.
    user: Option<CallerUserBody<'s>>,
    /// The device that they are on; null in the office.
    device: Option<CallerDeviceBody<'s>>,
    /// What they may do here and now.
    #[schema(value_type = Vec<String>)]
    rights: &'s Rights,
}

#[derive(Serialize, ToSchema)]
#[schema(as = CurrentUser)]
struct CallerUserBody<'s> {
    /// Which user.
    #[schema(value_type = uuid::Uuid)]
    id: UserId,
    /// The name to log in under.
    user_name: &'s str,
    /// The name that people read.
    display_name: &'s str,
    /// Their e-mail address; null for none.
    email: Option<&'s str>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = CurrentDevice)]
struct CallerDeviceBody<'s> {
    /// Which device.
    #[schema(value_type = uuid::Uuid)]
    id: DeviceId,
    /// The name to log in under.
    name: &'s str,
    /// What kind it is.
    #[schema(value_type = Environment)]
    environment: &'static str,
    /// What the back office has set for the program on it.
    settings: &'s BTreeMap<String, String>,
}

impl<'s> SessionBody<'s> {
    /// A session of a list. One that has outlived its terms is over since then, whether or not that was noted.
    pub(super) fn from_view(listed: &'s SessionView, now: Instant) -> Self {
        let session = &listed.session;
        let outlived = session.expires_at.filter(|expiry| *expiry <= now).map(|expiry| (expiry, EndReason::Expired));
        let ended = session.ended.or(outlived);
        Self {
            id: session.id,
            user: session
                .user
                .map(|id| SessionUserBody { id, user_name: listed.user_name.as_ref().map(UserName::as_str) }),
            device: session
                .device
                .map(|id| SessionDeviceBody { id, name: listed.device_name.as_ref().map(DeviceName::as_str) }),
            mount: session.dialect.as_str(),
            created_at: session.created_at,
            last_used_at: session.last_used_at,
            expires_at: session.expires_at,
            ended_at: ended.map(|(at, _)| at),
            ended_why: ended.map(|(_, why)| why.name()),
        }
    }

    fn from_issued_tokens(granted: &'s IssuedTokens) -> Self {
        let (session, profile) = (&granted.session, &granted.profile);
        Self {
            id: session.id,
            user: profile
                .user
                .as_ref()
                .map(|user| SessionUserBody { id: user.id, user_name: Some(user.name.as_str()) }),
            device: profile
                .device
                .as_ref()
                .map(|device| SessionDeviceBody { id: device.id, name: Some(device.name.as_str()) }),
            mount: session.dialect.as_str(),
            created_at: session.created_at,
            last_used_at: session.last_used_at,
            expires_at: session.expires_at,
            ended_at: None,
            ended_why: None,
        }
    }

    /// The caller's own, without the names that stand beside it; none where the call is made in no session.
    fn from_caller(caller: &'s Caller) -> Option<Self> {
        let session = caller.session_context()?;
        Some(Self {
            id: session.id,
            user: caller.user().map(|id| SessionUserBody { id, user_name: None }),
            device: caller.device.map(|id| SessionDeviceBody { id, name: None }),
            mount: caller.dialect.as_str(),
            created_at: session.created_at,
            last_used_at: Some(session.last_used_at),
            expires_at: session.session_expires_at,
            ended_at: None,
            ended_why: None,
        })
    }
}

impl<'s> TokensBody<'s> {
    pub(super) fn from_issued_tokens(granted: &'s IssuedTokens) -> Self {
        let refresh_token = granted.refresh_token.as_ref().map(|token| token.expose().as_str());
        Self {
            access_token: granted.access_token.expose(),
            token_type: "Bearer",
            expires_in: granted.access_expires_in.as_secs(),
            expires_at: granted.access_expires_at,
            refresh_token,
            refresh_expires_at: granted.session_expires_at.filter(|_| refresh_token.is_some()),
            session: SessionBody::from_issued_tokens(granted),
        }
    }
}

impl<'s> CallerBody<'s> {
    pub(super) fn from_caller(caller: &'s Caller) -> Self {
        let Profile { user, device, rights, .. } = &*caller.profile;
        Self {
            session: SessionBody::from_caller(caller),
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
