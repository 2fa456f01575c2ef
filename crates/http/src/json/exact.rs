//! JSON bodies whose numbers keep their digits, so that no amount passes through floating point.

use crate::error::{ApiError, malformed_body_error};

pub(crate) use tillgate_domain::ExactJson;

/// Parses JSON that has been checked.
///
/// # Errors
/// The JSON cannot be parsed.
pub(crate) fn parse_exact(json: &[u8]) -> Result<ExactJson, ApiError> {
    let text = std::str::from_utf8(json).map_err(|_| ApiError::malformed("the body is not UTF-8"))?;
    ExactJson::parse(text).map_err(|error| malformed_body_error(&error))
}
