//! The body of Fiuu's login, and how it is read.

use actix_web::http::header::HeaderMap;
use serde::Deserialize;
use tillgate_auth_core::LoginIdentity;
use tillgate_domain::{DeviceName, Secret};
use validator::{Validate, ValidationError};

use crate::error::{ApiError, FieldErrorCode};
use crate::request::body;
use crate::request::field::{BodyField, validation_error, well_typed};
use crate::request::partial_body::validate_body;

/// A login. The password may have any length: an empty or overlong one is a wrong password.
#[derive(Deserialize, Validate)]
struct LoginBody {
    #[serde(default, rename = "posId")]
    #[validate(required, custom(function = "check_pos_id"))]
    pos_id: BodyField<String>,
    #[serde(default)]
    #[validate(required, custom(function = "well_typed"))]
    password: BodyField<String>,
}

/// Validates that the name is a valid device name. No other field of the contract has a format.
fn check_pos_id(field: &BodyField<String>) -> Result<(), ValidationError> {
    match field {
        BodyField::Missing | BodyField::Null => Ok(()),
        BodyField::Value(name) if DeviceName::parse(name).is_ok() => Ok(()),
        BodyField::Value(_) | BodyField::Partial(..) | BodyField::Invalid(_) => {
            Err(validation_error(FieldErrorCode::Format))
        }
    }
}

/// Reads the body of a login.
pub(super) fn read_login(headers: &HeaderMap, body: &[u8]) -> Result<(LoginIdentity, Secret<String>), ApiError> {
    let sent: LoginBody = validate_body(body::read_object_or_form(headers, body)?)?;
    let who = LoginIdentity::Device { device: sent.pos_id.into_value().unwrap_or_default() };
    Ok((who, Secret::new(sent.password.into_value().unwrap_or_default())))
}
