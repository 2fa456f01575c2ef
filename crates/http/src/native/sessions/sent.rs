//! What requests say to log in, to go on, to change one's own password and to end sessions. A login and a refresh pass over members
//! that they do not know: a till that says more than this server understands is let in all the same.

use actix_web::http::header::HeaderMap;
use serde::Deserialize;
use tillgate_auth_core::Who;
use tillgate_auth_core::passwords::{PasswordPolicy, WeakPassword, is_same_password};
use tillgate_domain::office::Whose;
use tillgate_domain::{DeviceId, Secret, UserId};
use utoipa::ToSchema;
use validator::Validate;

use crate::body;
use crate::failure::{Failure, FieldFault, Protocol};
use crate::field::{Field, fits, validated, weak_password};
use crate::native::body::{read, read_with};

/// What a login sends. Without a login the device logs in as itself. The password may be empty or long: that is a wrong one.
#[derive(Deserialize, Validate, ToSchema)]
#[schema(as = Login)]
pub(super) struct Credentials {
    /// A user name or an e-mail address.
    #[serde(default)]
    #[validate(length(max = 254), custom(function = "fits"))]
    #[schema(value_type = Option<String>, max_length = 254)]
    login: Field<String>,
    /// The password of the user, or of the device that logs in as itself.
    #[serde(default)]
    #[validate(required, custom(function = "fits"))]
    #[schema(value_type = String, write_only, required = true)]
    password: Field<Secret<String>>,
    /// Another password of the user's, which takes the place of `password`: 8 to 128 characters, none of the commonest, not made of
    /// your names, the tenant's or a device's, and not the same again. Required if the answer to a login is
    /// `password_change_required`; every other session of the user ends.
    #[serde(default)]
    #[validate(custom(function = "fits"))]
    #[schema(value_type = Option<String>, min_length = 8, max_length = 128, write_only)]
    new_password: Field<Secret<String>>,
    /// The name of the device that it is on.
    #[serde(default)]
    #[validate(length(max = 100), custom(function = "fits"))]
    #[schema(value_type = Option<String>, max_length = 100)]
    device: Field<String>,
    /// The short name of the tenant, where the mount serves several.
    #[serde(default)]
    #[validate(length(max = 63), custom(function = "fits"))]
    #[schema(value_type = Option<String>, max_length = 63)]
    tenant: Field<String>,
    /// The refresh token of an earlier session of this user or on this device, which may be over. Whoever holds one is not held back
    /// by wrong passwords that others send. One that proves nothing is passed over.
    #[serde(default)]
    #[validate(custom(function = "fits"))]
    #[schema(value_type = Option<String>, write_only)]
    previous_refresh_token: Field<Secret<String>>,
}

/// What a refresh sends.
#[derive(Deserialize, Validate, ToSchema)]
pub(super) struct Renewal {
    /// The refresh token of the last answer.
    #[serde(default)]
    #[validate(required, custom(function = "fits"))]
    #[schema(value_type = String, write_only, required = true)]
    refresh_token: Field<Secret<String>>,
}

/// The caller's own password, and the one that is to be.
#[derive(Deserialize, Validate, ToSchema)]
pub(super) struct OwnPassword {
    /// The password there is.
    #[serde(default)]
    #[validate(required, custom(function = "fits"))]
    #[schema(value_type = String, write_only, required = true)]
    current_password: Field<Secret<String>>,
    /// The other one: 8 to 128 characters, none of the commonest, not made of your names, the tenant's or a device's.
    #[serde(default)]
    #[validate(required, custom(function = "fits"))]
    #[schema(value_type = String, min_length = 8, max_length = 128, write_only, required = true)]
    password: Field<Secret<String>>,
    /// Whether your API keys are revoked too; they stay otherwise.
    #[serde(default)]
    #[validate(custom(function = "fits"))]
    #[schema(value_type = Option<bool>)]
    keys: Field<bool>,
}

/// Whose sessions are to end: a user's, a device's, or everybody's; one of the three is named.
#[derive(Deserialize, Validate, ToSchema)]
pub(super) struct EndSessions {
    /// This user's.
    #[serde(default)]
    #[validate(custom(function = "fits"))]
    #[schema(value_type = Option<uuid::Uuid>)]
    user: Field<UserId>,
    /// Those on this device, whoever's they are.
    #[serde(default)]
    #[validate(custom(function = "fits"))]
    #[schema(value_type = Option<uuid::Uuid>)]
    device: Field<DeviceId>,
    /// Everybody's, the caller's own too.
    #[serde(default)]
    #[validate(custom(function = "fits"))]
    #[schema(value_type = Option<bool>)]
    everyone: Field<bool>,
    /// The permanent tokens of devices too, which stay otherwise.
    #[serde(default)]
    #[validate(custom(function = "fits"))]
    #[schema(value_type = Option<bool>)]
    permanent: Field<bool>,
}

/// Whose sessions are to end, and whether the permanent tokens end too.
pub(super) fn whose(headers: &HeaderMap, body: &[u8]) -> Result<(Whose, bool), Failure> {
    let sent: EndSessions = read(headers, body)?;
    let everyone = sent.everyone.given() == Some(true);
    let whose = match (sent.user.given(), sent.device.given(), everyone) {
        (Some(user), None, false) => Whose::User(user),
        (None, Some(device), false) => Whose::Device(device),
        (None, None, true) => Whose::Everyone,
        _ => {
            return Err(Protocol::Fields(vec![FieldFault {
                field: "".into(),
                query: false,
                code: "choice".into(),
                message: "must name one of user, device, and everyone as true".into(),
            }])
            .into());
        }
    };
    Ok((whose, sent.permanent.given().unwrap_or(false)))
}

/// A login as it was sent.
pub(in crate::native) struct LoginRequest {
    /// Who logs in.
    pub(in crate::native) who: Who,
    pub(in crate::native) password: Secret<String>,
    /// The password to set in its place.
    pub(in crate::native) new_password: Option<Secret<String>>,
    /// The short name of the tenant, if one is named.
    pub(in crate::native) tenant: Option<String>,
    /// The refresh token of an earlier session.
    pub(in crate::native) previous: Option<Secret<String>>,
}

/// What is wrong with a new password.
pub(super) fn weak_new_password(why: &WeakPassword) -> FieldFault {
    FieldFault { field: "new_password".into(), query: false, code: "weak".into(), message: why.to_string().into() }
}

impl Credentials {
    /// What is wrong with the new password: it is the old one, nobody's, or none that may be set.
    fn wrong_new_password(&self, policy: &PasswordPolicy) -> Vec<FieldFault> {
        let login = self.login.value().cloned();
        let weak = weak_password(policy, "new_password", &self.new_password, login.as_slice());
        weak.into_iter().chain(self.misplaced()).collect()
    }

    fn misplaced(&self) -> Option<FieldFault> {
        let Field::Given(new) = &self.new_password else { return None };
        if self.login.is_missing() {
            return Some(FieldFault {
                field: "new_password".into(),
                query: false,
                code: "unexpected".into(),
                message: "is for users; change the password of a device in the office".into(),
            });
        }
        match &self.password {
            Field::Given(old) if is_same_password(old.expose(), new.expose()) => {
                Some(weak_new_password(&WeakPassword::Unchanged))
            }
            _ => None,
        }
    }
}

/// Reads the body of a login. What is wrong with a new password by this policy is named with everything else.
pub(in crate::native) fn credentials(
    headers: &HeaderMap,
    body: &[u8],
    policy: &PasswordPolicy,
) -> Result<LoginRequest, Failure> {
    let sent: Credentials = body::object(headers, body)?;
    let misplaced = sent.wrong_new_password(policy);
    let nobody = (sent.login.is_missing() && sent.device.is_missing()).then(|| FieldFault {
        field: "login".into(),
        query: false,
        code: "required".into(),
        message: "is required where no device logs in as itself".into(),
    });
    let mut others: Vec<FieldFault> = nobody.into_iter().chain(misplaced).collect();
    let sent = match validated(sent) {
        Ok(sent) if others.is_empty() => sent,
        Ok(_) => return Err(Protocol::Fields(others).into()),
        Err(Protocol::Fields(mut faults)) => {
            faults.append(&mut others);
            faults.sort();
            return Err(Protocol::Fields(faults).into());
        }
        Err(other) => return Err(other.into()),
    };
    let device = sent.device.given();
    let who = match sent.login.given() {
        Some(login) => Who::User { login, device },
        None => Who::Device { device: device.unwrap_or_default() },
    };
    Ok(LoginRequest {
        who,
        password: sent.password.needed()?,
        new_password: sent.new_password.given(),
        tenant: sent.tenant.given(),
        previous: sent.previous_refresh_token.given(),
    })
}

/// The refresh token.
pub(super) fn refresh_token(headers: &HeaderMap, body: &[u8]) -> Result<Secret<String>, Failure> {
    let sent: Renewal = validated(body::object(headers, body)?)?;
    sent.refresh_token.needed()
}

/// The password there is, the one that is to be, and whether the API keys end.
pub(super) fn passwords(
    headers: &HeaderMap,
    body: &[u8],
    policy: &PasswordPolicy,
) -> Result<(Secret<String>, Secret<String>, bool), Failure> {
    let weak = |sent: &OwnPassword| weak_password(policy, "password", &sent.password, &[]);
    let sent = read_with(headers, body, weak)?;
    Ok((sent.current_password.needed()?, sent.password.needed()?, sent.keys.given().unwrap_or(false)))
}
