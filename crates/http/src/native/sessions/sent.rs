//! What requests say to log in, to go on, to change one's own password and to end sessions. A login and a refresh pass over members
//! that they do not know: a till that says more than this server understands is let in all the same.

use actix_web::http::header::HeaderMap;
use serde::Deserialize;
use tillgate_auth_core::Who;
use tillgate_domain::office::Whose;
use tillgate_domain::{DeviceId, Secret, UserId};
use utoipa::ToSchema;
use validator::Validate;

use crate::body;
use crate::failure::{Failure, FieldFault, Protocol};
use crate::field::{Field, fits, settable, validated};
use crate::native::body::read;

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
    #[validate(required, custom(function = "settable"))]
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

/// What a login says: who logs in, the password, the tenant where one is named, and the refresh token of an earlier session.
type Said = (Who, Secret<String>, Option<String>, Option<Secret<String>>);

/// Reads the body of a login.
pub(in crate::native) fn credentials(headers: &HeaderMap, body: &[u8]) -> Result<Said, Failure> {
    let sent: Credentials = body::object(headers, body)?;
    let nobody = (sent.login.is_missing() && sent.device.is_missing()).then(|| FieldFault {
        field: "login".into(),
        query: false,
        code: "required".into(),
        message: "is required where no device logs in as itself".into(),
    });
    let sent = match (validated(sent), nobody) {
        (Ok(sent), None) => sent,
        (Ok(_), Some(fault)) => return Err(Protocol::Fields(vec![fault]).into()),
        (Err(Protocol::Fields(mut faults)), fault) => {
            faults.extend(fault);
            faults.sort();
            return Err(Protocol::Fields(faults).into());
        }
        (Err(other), _) => return Err(other.into()),
    };
    let device = sent.device.given();
    let who = match sent.login.given() {
        Some(login) => Who::User { login, device },
        None => Who::Device { device: device.unwrap_or_default() },
    };
    Ok((who, sent.password.needed()?, sent.tenant.given(), sent.previous_refresh_token.given()))
}

/// The refresh token.
pub(super) fn refresh_token(headers: &HeaderMap, body: &[u8]) -> Result<Secret<String>, Failure> {
    let sent: Renewal = validated(body::object(headers, body)?)?;
    sent.refresh_token.needed()
}

/// The password there is, the one that is to be, and whether the API keys end.
pub(super) fn passwords(headers: &HeaderMap, body: &[u8]) -> Result<(Secret<String>, Secret<String>, bool), Failure> {
    let sent: OwnPassword = read(headers, body)?;
    Ok((sent.current_password.needed()?, sent.password.needed()?, sent.keys.given().unwrap_or(false)))
}
