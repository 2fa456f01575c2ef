//! The bodies of PORTOS' login and refresh, and how they are read.

use actix_web::http::header::HeaderMap;
use serde::Deserialize;
use tillgate_auth_core::{LoginIdentity, TokenDenied};
use tillgate_domain::Secret;
use validator::Validate;

use super::refresh_token::decode_refresh_token;
use crate::error::{ApiError, FieldErrorCode};
use crate::request::body;
use crate::request::field::{BodyField, validation_error, well_typed};
use crate::request::partial_body::validate_body;

/// A login. `Password` may be missing: that is a wrong password, unless the device's environment
/// requires none.
#[derive(Deserialize, Validate)]
#[serde(rename_all = "lowercase", default)]
#[derive(Default)]
struct LoginBody {
    #[validate(custom(function = "check_not_blank"), custom(function = "well_typed"))]
    username: BodyField<String>,
    #[validate(custom(function = "well_typed"))]
    password: BodyField<String>,
    #[validate(custom(function = "check_not_blank"), custom(function = "well_typed"))]
    devicename: BodyField<String>,
}

#[derive(Deserialize, Validate, Default)]
#[serde(rename_all = "lowercase", default)]
struct RefreshBody {
    #[validate(custom(function = "check_not_blank"), custom(function = "well_typed"))]
    tokenid: BodyField<String>,
    #[validate(custom(function = "check_not_blank"), custom(function = "well_typed"))]
    refreshtoken: BodyField<String>,
}

/// Validates that a required text is present and not blank.
fn check_not_blank(field: &BodyField<String>) -> Result<(), validator::ValidationError> {
    match field {
        BodyField::Value(text) if !text.trim().is_empty() => Ok(()),
        BodyField::Partial(..) | BodyField::Invalid(_) => Ok(()),
        BodyField::Value(_) | BodyField::Missing | BodyField::Null => Err(validation_error(FieldErrorCode::Required)),
    }
}

pub(super) fn read_login(headers: &HeaderMap, body: &[u8]) -> Result<(LoginIdentity, Secret<String>), ApiError> {
    let sent: LoginBody = validate_body(body::read_caseless_object(headers, body)?)?;
    let who = LoginIdentity::User {
        login: sent.username.into_value().unwrap_or_default(),
        device: sent.devicename.into_value(),
    };
    Ok((who, Secret::new(sent.password.into_value().unwrap_or_default())))
}

pub(super) fn read_refresh(
    headers: &HeaderMap,
    body: &[u8],
) -> Result<(Secret<String>, Option<Secret<String>>), ApiError> {
    let sent: RefreshBody = validate_body(body::read_caseless_object(headers, body)?)?;
    let access_token = sent.tokenid.into_value().map(Secret::new);
    let token = sent.refreshtoken.into_value().map(Secret::new).and_then(|token| decode_refresh_token(token.expose()));
    Ok((token.ok_or(ApiError::Denied(TokenDenied::Invalid.into()))?, access_token))
}
