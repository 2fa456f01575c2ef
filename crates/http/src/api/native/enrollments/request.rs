//! Requests of the operations on enrollments.

use std::time::Duration;

use actix_web::http::header::HeaderMap;
use serde::Deserialize;
use tillgate_domain::{KeyStorage, Secret};
use utoipa::ToSchema;
use validator::Validate;

use crate::api::native::schemas;
use crate::error::ApiError;
use crate::request::body;
use crate::request::field::{BodyField, LabelText, validate_body, well_typed};

/// An enrollment to start.
#[derive(Deserialize, Validate, ToSchema)]
#[schema(as = NewEnrollment)]
pub(super) struct StartEnrollment {
    /// How long the code is valid, in seconds: 60 to 2,592,000 (30 days); 600 if omitted. A code
    /// that is valid for more than an hour has 12 letters instead of 8.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<u64>, minimum = 60, maximum = 2_592_000)]
    expires_in: BodyField<Duration>,
    /// Whether the enrollment replaces the current key of the device, which ends all sessions on
    /// it except permanent ones; false if omitted.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<bool>)]
    replace: BodyField<bool>,
}

impl StartEnrollment {
    /// Returns how long the code is valid, if sent, and whether the enrollment replaces a key.
    pub(super) fn into_values(self) -> (Option<Duration>, bool) {
        (self.expires_in.into_value(), self.replace.into_value().unwrap_or(false))
    }
}

/// An enrollment of a device by its code. The key is that of the proof in `DPoP`.
#[derive(Deserialize, Validate, ToSchema)]
#[schema(as = EnrollDevice)]
pub(super) struct EnrollDevice {
    /// The code, as it was typed: case, blanks and hyphens do not count, and neither does a digit
    /// that looks like a letter.
    #[serde(default)]
    #[validate(required, custom(function = "well_typed"))]
    #[schema(value_type = String, write_only, required = true)]
    code: BodyField<Secret<String>>,
    /// Where the device keeps the private key: `hardware` from which it cannot be copied, or
    /// `software`. It is not checked.
    #[serde(default)]
    #[validate(required, custom(function = "well_typed"))]
    #[schema(value_type = schemas::KeyStorage, required = true)]
    storage: BodyField<KeyStorage>,
    /// A name for the machine, which people can recognize; empty if omitted.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<String>, max_length = 200)]
    label: BodyField<LabelText>,
    /// The program and its version; empty if omitted.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<String>, max_length = 200)]
    app: BodyField<LabelText>,
}

/// The content of an enrollment request.
pub(super) struct EnrollmentInput {
    pub(super) code: Secret<String>,
    pub(super) storage: KeyStorage,
    pub(super) label: String,
    pub(super) app: String,
}

/// Reads an enrollment. It ignores unknown members, as a login does.
pub(super) fn read_enrollment(headers: &HeaderMap, body: &[u8]) -> Result<EnrollmentInput, ApiError> {
    let sent: EnrollDevice = validate_body(body::read_object(headers, body)?)?;
    let text = |field: BodyField<LabelText>| field.into_value().map(|LabelText(text)| text).unwrap_or_default();
    Ok(EnrollmentInput {
        code: sent.code.require_value()?,
        storage: sent.storage.require_value()?,
        label: text(sent.label),
        app: text(sent.app),
    })
}
