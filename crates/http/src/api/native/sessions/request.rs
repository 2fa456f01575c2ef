//! Requests of the session operations. A login and a refresh ignore unknown members, so that
//! clients written for a newer version can log in.

use actix_web::http::header::HeaderMap;
use serde::Deserialize;
use tillgate_auth_core::LoginIdentity;
use tillgate_auth_core::passwords::{PasswordPolicy, WeakPassword, is_same_password};
use tillgate_domain::office::SessionTarget;
use tillgate_domain::{DeviceId, Secret, UserId};
use utoipa::ToSchema;
use validator::Validate;

use crate::api::native::body::{read_body, read_body_with};
use crate::error::{ApiError, FieldErrorCode, FieldViolation, ProtocolError};
use crate::request::body;
use crate::request::field::{BodyField, check_password, well_typed};
use crate::request::partial_body::{validate_body, validate_body_with};

/// A login of a user, or of a device as itself if `login` is omitted. The password may have any
/// length: an empty or overlong one is a wrong password.
#[derive(Deserialize, Validate, ToSchema)]
#[schema(as = Login)]
pub(super) struct LoginBody {
    /// User name or e-mail address.
    #[serde(default)]
    #[validate(length(max = 254), custom(function = "well_typed"))]
    #[schema(value_type = Option<String>, max_length = 254)]
    login: BodyField<String>,
    /// Password of the user, or of the device that logs in as itself.
    #[serde(default)]
    #[validate(required, custom(function = "well_typed"))]
    #[schema(value_type = String, write_only, required = true)]
    password: BodyField<Secret<String>>,
    /// New password that replaces `password`: 8 to 128 characters, not a common password, not made
    /// of the user's, the tenant's or a device's name, and different from `password`. Required if a
    /// login was answered with `password_change_required`. All other sessions of the user end.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<String>, min_length = 8, max_length = 128, write_only)]
    new_password: BodyField<Secret<String>>,
    /// Name of the device on which the user logs in, or which logs in as itself.
    #[serde(default)]
    #[validate(length(max = 100), custom(function = "well_typed"))]
    #[schema(value_type = Option<String>, max_length = 100)]
    device: BodyField<String>,
    /// Short name of the tenant. If it is omitted, the tenant of the mount; if the mount serves
    /// several, that of the user with the e-mail address in `login`, otherwise `default`.
    #[serde(default)]
    #[validate(length(max = 63), custom(function = "well_typed"))]
    #[schema(value_type = Option<String>, max_length = 63)]
    tenant: BodyField<String>,
    /// Refresh token of an earlier session of this user or on this device, which may have ended. A
    /// client that has one is not affected by failed logins of other clients. An invalid token is
    /// ignored.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<String>, write_only)]
    previous_refresh_token: BodyField<Secret<String>>,
}

/// A refresh of a session.
#[derive(Deserialize, Validate, ToSchema)]
pub(super) struct RefreshBody {
    /// The refresh token of the last response.
    #[serde(default)]
    #[validate(required, custom(function = "well_typed"))]
    #[schema(value_type = String, write_only, required = true)]
    refresh_token: BodyField<Secret<String>>,
}

/// A change of the caller's own password.
#[derive(Deserialize, Validate, ToSchema)]
pub(super) struct ChangeOwnPassword {
    /// The current password.
    #[serde(default)]
    #[validate(required, custom(function = "well_typed"))]
    #[schema(value_type = String, write_only, required = true)]
    current_password: BodyField<Secret<String>>,
    /// New password: 8 to 128 characters, not a common password, not made of the user's, the
    /// tenant's or a device's name.
    #[serde(default)]
    #[validate(required, custom(function = "well_typed"))]
    #[schema(value_type = String, min_length = 8, max_length = 128, write_only, required = true)]
    password: BodyField<Secret<String>>,
    /// Whether your API keys are revoked too; false if omitted.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<bool>)]
    keys: BodyField<bool>,
}

/// The body of a step-up: the password of the session's user.
#[derive(Deserialize, Validate, ToSchema)]
pub(super) struct StepUpBody {
    /// Password of the user.
    #[serde(default)]
    #[validate(required, custom(function = "well_typed"))]
    #[schema(value_type = String, write_only, required = true)]
    password: BodyField<Secret<String>>,
}

/// Selects the sessions to end: those of a user, those on a device, or all of the tenant. Send
/// exactly one of the three.
#[derive(Deserialize, Validate, ToSchema)]
pub(super) struct EndSessions {
    /// Id of the user whose sessions end.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<uuid::Uuid>)]
    user: BodyField<UserId>,
    /// Id of the device on which all sessions end, whichever user they belong to.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<uuid::Uuid>)]
    device: BodyField<DeviceId>,
    /// Whether all sessions of the tenant end, including the caller's.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<bool>)]
    everyone: BodyField<bool>,
    /// Whether permanent tokens of devices end too; false if omitted.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<bool>)]
    permanent: BodyField<bool>,
}

/// Reads the password of a step-up.
pub(super) fn read_step_up(headers: &HeaderMap, body: &[u8]) -> Result<Secret<String>, ApiError> {
    let sent: StepUpBody = read_body(headers, body)?;
    sent.password.require_value()
}

/// Reads which sessions to end, and whether permanent tokens end too.
pub(super) fn read_end_sessions(headers: &HeaderMap, body: &[u8]) -> Result<(SessionTarget, bool), ApiError> {
    let sent: EndSessions = read_body(headers, body)?;
    let everyone = sent.everyone.into_value() == Some(true);
    let target = match (sent.user.into_value(), sent.device.into_value(), everyone) {
        (Some(user), None, false) => SessionTarget::User(user),
        (None, Some(device), false) => SessionTarget::Device(device),
        (None, None, true) => SessionTarget::Everyone,
        _ => {
            return Err(ProtocolError::InvalidFields(vec![FieldViolation {
                field: "".into(),
                in_query: false,
                code: FieldErrorCode::Choice,
                message: "must contain exactly one of user, device, and everyone with the value true".into(),
            }])
            .into());
        }
    };
    Ok((target, sent.permanent.into_value().unwrap_or(false)))
}

/// The content of a login request.
pub(in crate::api::native) struct LoginInput {
    /// The user or device that logs in.
    pub(in crate::api::native) who: LoginIdentity,
    pub(in crate::api::native) password: Secret<String>,
    /// The password that replaces the current one.
    pub(in crate::api::native) new_password: Option<Secret<String>>,
    /// Short name of the tenant, if sent.
    pub(in crate::api::native) tenant: Option<String>,
    /// Refresh token of an earlier session, if sent.
    pub(in crate::api::native) previous: Option<Secret<String>>,
}

/// Builds the violation for a weak new password.
pub(super) fn new_password_violation(why: &WeakPassword) -> FieldViolation {
    FieldViolation { field: "new_password".into(), in_query: false, code: FieldErrorCode::Weak, message: why.into() }
}

impl LoginBody {
    /// Validates the new password: it must satisfy the policy, differ from the current one, and
    /// belong to a user.
    fn check_new_password(&self, policy: &PasswordPolicy) -> Vec<FieldViolation> {
        let login = self.login.as_value().cloned();
        let weak = check_password(policy, "new_password", &self.new_password, login.as_slice());
        weak.into_iter().chain(self.find_misplaced_password()).collect()
    }

    /// Somebody must log in.
    fn find_missing_name(&self) -> Option<FieldViolation> {
        (self.login.is_missing() && self.device.is_missing()).then(|| FieldViolation {
            field: "login".into(),
            in_query: false,
            code: FieldErrorCode::Required,
            message: "is required unless a device logs in as itself".into(),
        })
    }

    fn find_misplaced_password(&self) -> Option<FieldViolation> {
        let BodyField::Value(new) = &self.new_password else { return None };
        if self.login.is_missing() {
            return Some(FieldViolation {
                field: "new_password".into(),
                in_query: false,
                code: FieldErrorCode::Unexpected,
                message: "is for users only; change the password of a device in the back office".into(),
            });
        }
        match &self.password {
            BodyField::Value(old) if is_same_password(old.expose(), new.expose()) => {
                Some(new_password_violation(&WeakPassword::Unchanged))
            }
            _ => None,
        }
    }
}

/// Reads the body of a login. Violations of the password policy are reported together with all
/// others.
pub(in crate::api::native) fn read_login(
    headers: &HeaderMap,
    body: &[u8],
    policy: &PasswordPolicy,
) -> Result<LoginInput, ApiError> {
    let sent = validate_body_with(body::read_object::<LoginBody>(headers, body)?, |sent| {
        sent.check_new_password(policy).into_iter().chain(sent.find_missing_name()).collect()
    })?;
    let device = sent.device.into_value();
    let who = match sent.login.into_value() {
        Some(login) => LoginIdentity::User { login, device },
        None => LoginIdentity::Device { device: device.unwrap_or_default() },
    };
    Ok(LoginInput {
        who,
        password: sent.password.require_value()?,
        new_password: sent.new_password.into_value(),
        tenant: sent.tenant.into_value(),
        previous: sent.previous_refresh_token.into_value(),
    })
}

/// Reads the refresh token.
pub(super) fn read_refresh(headers: &HeaderMap, body: &[u8]) -> Result<Secret<String>, ApiError> {
    let sent: RefreshBody = validate_body(body::read_object(headers, body)?)?;
    sent.refresh_token.require_value()
}

/// Reads the current password, the new password, and whether API keys are revoked.
pub(super) fn read_password_change(
    headers: &HeaderMap,
    body: &[u8],
    policy: &PasswordPolicy,
) -> Result<(Secret<String>, Secret<String>, bool), ApiError> {
    let weak = |sent: &ChangeOwnPassword| check_password(policy, "password", &sent.password, &[]);
    let sent = read_body_with(headers, body, weak)?;
    Ok((
        sent.current_password.require_value()?,
        sent.password.require_value()?,
        sent.keys.into_value().unwrap_or(false),
    ))
}
