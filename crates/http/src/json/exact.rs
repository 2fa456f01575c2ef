//! JSON bodies whose numbers keep their digits, so that no amount passes through floating point.

use actix_web::http::header::HeaderMap;

use crate::error::ApiError;
use crate::json::duplicates::NameComparison;
use crate::request::body;

pub(crate) use tillgate_domain::ExactJson;

/// Reads a body with JSON of any kind, of a contract that ignores the case of names except inside
/// the members `as_sent`.
///
/// # Errors
/// The body cannot be parsed, or an object has a member twice.
pub(crate) fn read_exact(
    headers: &HeaderMap,
    sent: &[u8],
    as_sent: &'static [&'static str],
) -> Result<ExactJson, ApiError> {
    parse_exact(body::check_json(headers, sent, NameComparison::Caseless(as_sent))?)
}

/// Parses JSON that has been checked.
///
/// # Errors
/// The JSON cannot be parsed.
pub(crate) fn parse_exact(json: &[u8]) -> Result<ExactJson, ApiError> {
    let text = std::str::from_utf8(json).map_err(|_| ApiError::malformed("the body is not UTF-8"))?;
    ExactJson::parse(text).map_err(|error| body::malformed_body_error(&error))
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{CONTENT_TYPE, HeaderValue};

    use super::*;

    fn read(body: &str) -> Result<ExactJson, ApiError> {
        let headers = [(CONTENT_TYPE, HeaderValue::from_static("application/json"))].into_iter().collect();
        super::read_exact(&headers, body.as_bytes(), &[])
    }

    #[test]
    fn numbers_round_trip_digit_for_digit() {
        let text =
            r#"{"a":5.363636,"b":[1e40,0.1000,-0,123456789012345678901234567890],"c":{"d":null,"a":true,"x":"ž\n"}}"#;
        assert_eq!(serde_json::to_string(&read(text).unwrap()).unwrap(), text);
    }

    #[test]
    fn invalid_json_is_rejected() {
        for no in ["", " ", "{", "[1,]", "nul", "{'a':1}", "[1e400]", "[-1e400]"] {
            assert!(read(no).is_err(), "{no}");
        }
        assert!(read(&format!("{}{}", "[".repeat(100), "]".repeat(100))).is_ok());
        assert!(read(&format!("{}{}", "[".repeat(140), "]".repeat(140))).is_err());
        assert!(read(&format!("{}{}", "[".repeat(100_000), "]".repeat(100_000))).is_err());
    }
}
