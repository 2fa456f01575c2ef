//! What requests say to log in, to go on, to change one's own password and to end sessions. A login and a refresh pass over members
//! that they do not know: a till that says more than this server understands is let in all the same.

use actix_web::http::header::HeaderMap;
use serde::Deserialize;
use tillgate_auth_core::LoginIdentity;
use tillgate_auth_core::passwords::{PasswordPolicy, WeakPassword, is_same_password};
use tillgate_domain::office::SessionTarget;
use tillgate_domain::{DeviceId, Secret, UserId};
use utoipa::ToSchema;
use validator::Validate;

use crate::body;
use crate::error::{ApiError, FieldViolation, ProtocolError};
use crate::field::{BodyField, check_password, validate_body, well_typed};
use crate::native::body::{read_body, read_body_with};

/// What a login sends. Without a login the device logs in as itself. The password may be empty or long: that is a wrong one.
#[derive(Deserialize, Validate, ToSchema)]
#[schema(as = Login)]
pub(super) struct LoginBody {
    /// A user name or an e-mail address.
    #[serde(default)]
    #[validate(length(max = 254), custom(function = "well_typed"))]
    #[schema(value_type = Option<String>, max_length = 254)]
    login: BodyField<String>,
    /// The password of the user, or of the device that logs in as itself.
    #[serde(default)]
    #[validate(required, custom(function = "well_typed"))]
    #[schema(value_type = String, write_only, required = true)]
    password: BodyField<Secret<String>>,
    /// Another password of the user's, which takes the place of `password`: 8 to 128 characters, none of the commonest, not made of
    /// your names, the tenant's or a device's, and not the same again. Required if the answer to a login is
    /// `password_change_required`; every other session of the user ends.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<String>, min_length = 8, max_length = 128, write_only)]
    new_password: BodyField<Secret<String>>,
    /// The name of the device that it is on.
    #[serde(default)]
    #[validate(length(max = 100), custom(function = "well_typed"))]
    #[schema(value_type = Option<String>, max_length = 100)]
    device: BodyField<String>,
    /// The short name of the tenant, where the mount serves several.
    #[serde(default)]
    #[validate(length(max = 63), custom(function = "well_typed"))]
    #[schema(value_type = Option<String>, max_length = 63)]
    tenant: BodyField<String>,
    /// The refresh token of an earlier session of this user or on this device, which may be over. Whoever holds one is not held back
    /// by wrong passwords that others send. One that proves nothing is passed over.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<String>, write_only)]
    previous_refresh_token: BodyField<Secret<String>>,
}

/// What a refresh sends.
#[derive(Deserialize, Validate, ToSchema)]
pub(super) struct RefreshBody {
    /// The refresh token of the last answer.
    #[serde(default)]
    #[validate(required, custom(function = "well_typed"))]
    #[schema(value_type = String, write_only, required = true)]
    refresh_token: BodyField<Secret<String>>,
}

/// The caller's own password, and the one that is to be.
#[derive(Deserialize, Validate, ToSchema)]
pub(super) struct ChangeOwnPassword {
    /// The password there is.
    #[serde(default)]
    #[validate(required, custom(function = "well_typed"))]
    #[schema(value_type = String, write_only, required = true)]
    current_password: BodyField<Secret<String>>,
    /// The other one: 8 to 128 characters, none of the commonest, not made of your names, the tenant's or a device's.
    #[serde(default)]
    #[validate(required, custom(function = "well_typed"))]
    #[schema(value_type = String, min_length = 8, max_length = 128, write_only, required = true)]
    password: BodyField<Secret<String>>,
    /// Whether your API keys are revoked too; they stay otherwise.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<bool>)]
    keys: BodyField<bool>,
}

/// Whose sessions are to end: a user's, a device's, or everybody's; one of the three is named.
#[derive(Deserialize, Validate, ToSchema)]
pub(super) struct EndSessions {
    /// This user's.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<uuid::Uuid>)]
    user: BodyField<UserId>,
    /// Those on this device, whoever's they are.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<uuid::Uuid>)]
    device: BodyField<DeviceId>,
    /// Everybody's, the caller's own too.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<bool>)]
    everyone: BodyField<bool>,
    /// The permanent tokens of devices too, which stay otherwise.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<bool>)]
    permanent: BodyField<bool>,
}

/// Whose sessions are to end, and whether the permanent tokens end too.
pub(super) fn read_end_sessions(headers: &HeaderMap, body: &[u8]) -> Result<(SessionTarget, bool), ApiError> {
    let sent: EndSessions = read_body(headers, body)?;
    let everyone = sent.everyone.into_value() == Some(true);
    let whose = match (sent.user.into_value(), sent.device.into_value(), everyone) {
        (Some(user), None, false) => SessionTarget::User(user),
        (None, Some(device), false) => SessionTarget::Device(device),
        (None, None, true) => SessionTarget::Everyone,
        _ => {
            return Err(ProtocolError::InvalidFields(vec![FieldViolation {
                field: "".into(),
                in_query: false,
                code: "choice".into(),
                message: "must name one of user, device, and everyone as true".into(),
            }])
            .into());
        }
    };
    Ok((whose, sent.permanent.into_value().unwrap_or(false)))
}

/// A login as it was sent.
pub(in crate::native) struct LoginInput {
    /// Who logs in.
    pub(in crate::native) who: LoginIdentity,
    pub(in crate::native) password: Secret<String>,
    /// The password to set in its place.
    pub(in crate::native) new_password: Option<Secret<String>>,
    /// The short name of the tenant, if one is named.
    pub(in crate::native) tenant: Option<String>,
    /// The refresh token of an earlier session.
    pub(in crate::native) previous: Option<Secret<String>>,
}

/// What is wrong with a new password.
pub(super) fn new_password_violation(why: &WeakPassword) -> FieldViolation {
    FieldViolation {
        field: "new_password".into(),
        in_query: false,
        code: "weak".into(),
        message: why.to_string().into(),
    }
}

impl LoginBody {
    /// What is wrong with the new password: it is the old one, nobody's, or none that may be set.
    fn check_new_password(&self, policy: &PasswordPolicy) -> Vec<FieldViolation> {
        let login = self.login.as_value().cloned();
        let weak = check_password(policy, "new_password", &self.new_password, login.as_slice());
        weak.into_iter().chain(self.find_misplaced_password()).collect()
    }

    fn find_misplaced_password(&self) -> Option<FieldViolation> {
        let BodyField::Value(new) = &self.new_password else { return None };
        if self.login.is_missing() {
            return Some(FieldViolation {
                field: "new_password".into(),
                in_query: false,
                code: "unexpected".into(),
                message: "is for users; change the password of a device in the office".into(),
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

/// Reads the body of a login. What is wrong with a new password by this policy is named with everything else.
pub(in crate::native) fn read_login(
    headers: &HeaderMap,
    body: &[u8],
    policy: &PasswordPolicy,
) -> Result<LoginInput, ApiError> {
    let sent: LoginBody = body::read_object(headers, body)?;
    let misplaced = sent.check_new_password(policy);
    let nobody = (sent.login.is_missing() && sent.device.is_missing()).then(|| FieldViolation {
        field: "login".into(),
        in_query: false,
        code: "required".into(),
        message: "is required where no device logs in as itself".into(),
    });
    let mut others: Vec<FieldViolation> = nobody.into_iter().chain(misplaced).collect();
    let sent = match validate_body(sent) {
        Ok(sent) if others.is_empty() => sent,
        Ok(_) => return Err(ProtocolError::InvalidFields(others).into()),
        Err(ProtocolError::InvalidFields(mut faults)) => {
            faults.append(&mut others);
            faults.sort();
            return Err(ProtocolError::InvalidFields(faults).into());
        }
        Err(other) => return Err(other.into()),
    };
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

/// The refresh token.
pub(super) fn read_refresh(headers: &HeaderMap, body: &[u8]) -> Result<Secret<String>, ApiError> {
    let sent: RefreshBody = validate_body(body::read_object(headers, body)?)?;
    sent.refresh_token.require_value()
}

/// The password there is, the one that is to be, and whether the API keys end.
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
