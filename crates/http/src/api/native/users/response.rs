//! Users in responses of the native API.

use serde::Serialize;
use tillgate_auth_core::throttle::LoginThrottle;
use tillgate_domain::office::{DeviceRoleAssignment, UserView};
use tillgate_domain::{ApiKey, Email, Instant, Locale, RoleName, UserId};
use utoipa::ToSchema;

use crate::api::native::api_keys::ApiKeySummary;
use crate::api::native::login_throttle::LoginThrottleBody;
use crate::api::native::schemas::{Omittable, UserStatus};
use crate::timestamps::{serialize_instant, serialize_optional_instant};

/// A user who can log in.
#[derive(Serialize, ToSchema)]
#[schema(as = User)]
pub struct UserBody<'p> {
    /// Id of the user; it never changes.
    #[schema(value_type = uuid::Uuid)]
    id: UserId,
    /// Name of the user in logins.
    user_name: &'p str,
    /// E-mail address, which can be used in logins instead of the user name; null if none.
    email: Option<&'p str>,
    /// When the user proved to receive mail at the e-mail address; null if not yet. A change of the
    /// address sets it to null.
    #[serde(serialize_with = "serialize_optional_instant")]
    #[schema(value_type = Option<String>, format = DateTime)]
    email_verified_at: Option<Instant>,
    /// Display name of the user.
    display_name: &'p str,
    /// Status of the user; logins require `active`.
    #[schema(value_type = UserStatus)]
    status: &'static str,
    /// Whether the user stands for a feature instead of a person.
    r#virtual: bool,
    /// The feature that a virtual user stands for; null for a person.
    feature: Option<&'p str>,
    /// Whether the user has a password, without which nobody can log in as the user.
    has_password: bool,
    /// Until when the user can choose a password by an invitation; null without one. An instant in
    /// the past is that of an expired invitation.
    #[serde(serialize_with = "serialize_optional_instant")]
    #[schema(value_type = Option<String>, format = DateTime)]
    invited_until: Option<Instant>,
    /// Whether the password must be changed at the next login.
    password_change_required: bool,
    /// Language of the user, as a BCP 47 tag; null for that of the tenant.
    locale: Option<&'p str>,
    /// Names of the roles that the user has in general.
    #[schema(value_type = Vec<String>)]
    roles: &'p [RoleName],
    /// The devices on which the user may log in, with the roles there.
    devices: Vec<RolesOnDeviceBody<'p>>,
    /// Why logins are denied now after failed logins; null if they are not. Only in `users/{id}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<LoginThrottleBody>)]
    login_throttle: Omittable<LoginThrottleBody>,
    /// When the user last logged in with a password; null if never.
    #[serde(serialize_with = "serialize_optional_instant")]
    #[schema(value_type = Option<String>, format = DateTime)]
    last_login_at: Option<Instant>,
    /// When the user was created.
    #[serde(serialize_with = "serialize_instant")]
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
    /// When the user was last changed.
    #[serde(serialize_with = "serialize_instant")]
    #[schema(value_type = String, format = DateTime)]
    updated_at: Instant,
}

/// An updated user.
#[derive(Serialize, ToSchema)]
#[schema(as = ChangedUser)]
pub(super) struct UpdatedUserBody<'p> {
    #[serde(flatten)]
    user: UserBody<'p>,
    /// Active API keys without permissions that act as this user. They always have all current
    /// rights of the user, so restrict or revoke those that should not have the new ones. Present
    /// only if roles were changed and such keys exist.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    growing_api_keys: Vec<ApiKeySummary<'p>>,
}

impl<'p> UpdatedUserBody<'p> {
    pub(super) fn from_view(view: &'p UserView, growing: &'p [ApiKey]) -> Self {
        Self {
            user: UserBody::from_view(view),
            growing_api_keys: growing.iter().map(ApiKeySummary::from_key).collect(),
        }
    }
}

/// A device with the roles that a user has on it. An empty list lets the user log in there without
/// any right.
#[derive(Serialize, ToSchema)]
#[schema(as = RolesOnDevice)]
pub(super) struct RolesOnDeviceBody<'p> {
    /// Name of the device.
    #[schema(min_length = 1, max_length = 100)]
    device: &'p str,
    /// Names of the roles that the user has on the device.
    #[schema(value_type = Vec<String>)]
    roles: &'p [RoleName],
}

impl<'p> UserBody<'p> {
    /// Converts a user with the names of its roles and devices.
    pub fn from_view(view: &'p UserView) -> Self {
        let user = &view.user;
        Self {
            id: user.id,
            user_name: user.name.as_str(),
            email: user.email.as_ref().map(Email::as_str),
            email_verified_at: user.email_verified_at,
            display_name: &user.display_name,
            status: user.status.name(),
            r#virtual: user.is_virtual(),
            feature: user.feature.as_deref(),
            has_password: view.has_password,
            invited_until: view.invited_until,
            password_change_required: user.password_change_required,
            locale: user.locale.as_ref().map(Locale::as_str),
            roles: &view.roles,
            devices: view.devices.iter().map(RolesOnDeviceBody::from_roles).collect(),
            login_throttle: None,
            last_login_at: user.last_login_at,
            created_at: user.created_at,
            updated_at: user.updated_at,
        }
    }

    /// Adds why logins are denied now after failed logins.
    #[must_use]
    pub fn with_login_throttle(self, throttle: Option<LoginThrottle>) -> Self {
        Self { login_throttle: Some(throttle.map(LoginThrottleBody::from_throttle)), ..self }
    }
}

impl<'p> RolesOnDeviceBody<'p> {
    fn from_roles(on: &'p DeviceRoleAssignment) -> Self {
        Self { device: on.device.as_str(), roles: &on.roles }
    }
}
