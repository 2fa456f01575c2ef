//! The bodies of POS Kasir's authentication calls, and how they are read.

use actix_web::http::header::HeaderMap;
use serde::Deserialize;
use tillgate_auth_core::LoginIdentity;
use tillgate_domain::Secret;
use validator::Validate;

use crate::error::ApiError;
use crate::request::body;
use crate::request::field::{BodyField, well_typed};
use crate::request::partial_body::validate_body;

#[derive(Default, Deserialize, Validate)]
#[serde(default)]
struct LoginBody {
    #[validate(required, length(max = 254), custom(function = "well_typed"))]
    email: BodyField<String>,
    #[validate(required, custom(function = "well_typed"))]
    password: BodyField<String>,
}

#[derive(Default, Deserialize, Validate)]
#[serde(default)]
pub(super) struct ChangePasswordBody {
    #[validate(required, custom(function = "well_typed"))]
    pub(super) old_password: BodyField<String>,
    #[validate(required, custom(function = "well_typed"))]
    pub(super) new_password: BodyField<String>,
}

#[derive(Default, Deserialize, Validate)]
#[serde(default)]
struct RefreshBody {
    #[validate(custom(function = "well_typed"))]
    refresh_token: BodyField<String>,
}

/// Reads the body of a login.
pub(super) fn read_login(headers: &HeaderMap, body: &[u8]) -> Result<(LoginIdentity, Secret<String>), ApiError> {
    let sent: LoginBody = validate_body(body::read_object(headers, body)?)?;
    let who = LoginIdentity::User { login: sent.email.into_value().unwrap_or_default(), device: None };
    Ok((who, Secret::new(sent.password.into_value().unwrap_or_default())))
}

/// Reads the body of a refresh, which may be missing: the refresh token, if sent.
pub(super) fn read_refresh(headers: &HeaderMap, body: &[u8]) -> Result<Option<Secret<String>>, ApiError> {
    if body::is_empty_body(body) {
        return Ok(None);
    }
    let sent: RefreshBody = validate_body(body::read_object(headers, body)?)?;
    Ok(sent.refresh_token.into_value().filter(|token| !token.is_empty()).map(Secret::new))
}
