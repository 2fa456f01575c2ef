//! Reading of JSON bodies, and of form bodies in contracts that accept both.

use std::borrow::Cow;

use actix_web::http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::error::{ApiError, FieldErrorCode, FieldViolation, ProtocolError, malformed_body_error};
use crate::json::duplicates::{NameComparison, find_repeated_members, remove_repeated_members};
use crate::json::exact::{ExactJson, parse_exact};
use crate::request::form;
use crate::request::partial_body::PartialBody;

/// JSON without repeated members, and a violation for each member that was repeated.
pub(crate) struct CheckedJson<'b> {
    text: Cow<'b, [u8]>,
    repeated: Vec<FieldViolation>,
}

impl CheckedJson<'_> {
    /// The JSON, without repeated members.
    pub(crate) fn text(&self) -> &[u8] {
        &self.text
    }

    /// The violations for repeated members.
    pub(crate) fn into_repeated(self) -> Vec<FieldViolation> {
        self.repeated
    }
}

/// Reads the body as a JSON object. Members that `T` does not have are ignored.
pub(crate) fn read_object<T: DeserializeOwned>(headers: &HeaderMap, body: &[u8]) -> Result<PartialBody<T>, ApiError> {
    let json = check_json_object(headers, body, NameComparison::Exact)?;
    let read = serde_json::from_slice(json.text()).map_err(|error| malformed_body_error(&error))?;
    Ok(PartialBody::new(read, json.into_repeated()))
}

/// Reads the body as a JSON object, or as a form whose fields become members with text.
pub(crate) fn read_object_or_form<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: &[u8],
) -> Result<PartialBody<T>, ApiError> {
    if !is_encoded(headers) && media_type(headers).as_deref() == Some(form::FORM_MEDIA_TYPE) {
        let (fields, repeated) = form::read_form_object(body)?;
        let read = T::deserialize(Value::Object(fields)).map_err(|error| malformed_body_error(&error))?;
        return Ok(PartialBody::new(read, repeated));
    }
    read_object(headers, body)
}

/// Reads the body as a JSON object whose member names are case-insensitive. The members of `T` must
/// be lower case.
pub(crate) fn read_caseless_object<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: &[u8],
) -> Result<PartialBody<T>, ApiError> {
    let json = check_json_object(headers, body, NameComparison::Caseless(&[]))?;
    let members: Map<String, Value> =
        serde_json::from_slice(json.text()).map_err(|error| malformed_body_error(&error))?;
    // ASCII lower case only: the names of the contracts are ASCII, and a similar-looking letter
    // makes another name
    let members = members.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
    let read = T::deserialize(Value::Object(members)).map_err(|error| malformed_body_error(&error))?;
    Ok(PartialBody::new(read, json.into_repeated()))
}

/// Reads a body with JSON of any kind, of a contract that ignores the case of names except inside
/// the members `as_sent`. Returns it with the violations for repeated members.
///
/// # Errors
/// The body cannot be parsed.
pub(crate) fn read_exact(
    headers: &HeaderMap,
    sent: &[u8],
    as_sent: &'static [&'static str],
) -> Result<(ExactJson, Vec<FieldViolation>), ApiError> {
    let json = check_json(headers, sent, NameComparison::Caseless(as_sent))?;
    Ok((parse_exact(json.text())?, json.into_repeated()))
}

/// Reads the fields of a body that must be a form, in their order.
pub(crate) fn read_form(headers: &HeaderMap, body: &[u8]) -> Result<Vec<(String, String)>, ApiError> {
    if is_encoded(headers) || media_type(headers).as_deref() != Some(form::FORM_MEDIA_TYPE) {
        return Err(ProtocolError::UnsupportedMediaType.into());
    }
    form::read_form_pairs(body)
}

/// The byte order mark that Windows programs write before a text; RFC 8259, 8.1, allows parsers to
/// ignore it.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

fn strip_byte_order_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body)
}

/// Whether the body is empty in one of the forms that clients send with every request: no bytes,
/// `null`, or an empty string.
pub(crate) fn is_empty_body(body: &[u8]) -> bool {
    matches!(strip_byte_order_mark(body).trim_ascii(), b"" | b"null" | b"\"\"")
}

/// Returns the JSON of a body that is declared as JSON of any kind, if it is UTF-8.
fn check_json<'b>(headers: &HeaderMap, body: &'b [u8], names: NameComparison) -> Result<CheckedJson<'b>, ApiError> {
    if is_encoded(headers) || !media_type(headers).is_some_and(|essence| is_json_type(&essence)) {
        return Err(ProtocolError::UnsupportedMediaType.into());
    }
    let body = strip_byte_order_mark(body);
    if std::str::from_utf8(body).is_err() {
        return Err(ApiError::malformed("the body is not UTF-8"));
    }
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(ApiError::malformed("the body is empty"));
    }
    let repeated = find_repeated_members(body, names)?;
    if repeated.is_empty() {
        return Ok(CheckedJson { text: Cow::Borrowed(body), repeated });
    }
    // serde stops at a repeated member, which would hide all other violations
    let rest = serde_json::to_vec(&remove_repeated_members(parse_exact(body)?));
    let rest = rest.map_err(|error| ApiError::Fault(format!("a body cannot be written: {error}")))?;
    Ok(CheckedJson { text: Cow::Owned(rest), repeated })
}

/// Returns the JSON of a body that is declared as JSON and is an object.
pub(crate) fn check_json_object<'b>(
    headers: &HeaderMap,
    body: &'b [u8],
    names: NameComparison,
) -> Result<CheckedJson<'b>, ApiError> {
    // members that nothing reads are skipped by the parser, so the whole body is checked here
    let mut json = check_json(headers, body, names)?;
    // serde would deserialize an array into a struct by position
    if json.text().trim_ascii_start().starts_with(b"{") {
        return Ok(json);
    }
    json.repeated.insert(
        0,
        FieldViolation {
            field: "".into(),
            in_query: false,
            code: FieldErrorCode::Type,
            message: "must be an object".into(),
        },
    );
    Err(ProtocolError::InvalidFields(json.repeated).into())
}

/// Whether the body has a content encoding, which is not supported.
fn is_encoded(headers: &HeaderMap) -> bool {
    let encoding = headers.get(CONTENT_ENCODING).and_then(|encoding| encoding.to_str().ok());
    encoding.is_some_and(|encoding| !encoding.trim().eq_ignore_ascii_case("identity"))
}

/// The media type of the body, without parameters.
fn media_type(headers: &HeaderMap) -> Option<String> {
    let content_type = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    Some(content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}

/// Whether the media type is `application/json`, `text/json` or has the suffix `+json` (RFC 6839,
/// 3.1).
fn is_json_type(essence: &str) -> bool {
    matches!(essence, "application/json" | "text/json")
        || essence.strip_prefix("application/").is_some_and(|subtype| subtype.ends_with("+json"))
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn headers_with_type(content_type: &'static str) -> HeaderMap {
        [(CONTENT_TYPE, HeaderValue::from_static(content_type))].into_iter().collect()
    }

    #[test]
    fn json_is_recognized_by_media_type() {
        let is_json = |content_type| super::is_json_type(&media_type(&headers_with_type(content_type)).unwrap());
        for yes in ["application/json", "Application/JSON; charset=utf-8", "text/json", "application/vnd.pos+json"] {
            assert!(is_json(yes), "{yes}");
        }
        for no in ["", "text/plain", form::FORM_MEDIA_TYPE, "application/jsonp", "application/xml+jsonx", "text/x+json"]
        {
            assert!(!is_json(no), "{no}");
        }
    }

    #[test]
    fn byte_order_mark_is_skipped() {
        let json = headers_with_type("application/json");
        let read =
            |body: &[u8]| read_object::<Map<String, Value>>(&json, body).map(|read| Value::Object(read.body().clone()));
        assert_eq!(read(b"\xef\xbb\xbf{\"a\":1}"), Ok(serde_json::json!({ "a": 1 })));
        assert_eq!(read(b"\xef\xbb\xbf"), Err(ApiError::malformed("the body is empty")));
        for no in [&b"\xef\xbb\xbf\xef\xbb\xbf{}"[..], b"{}\xef\xbb\xbf", b"\xfe\xff\0{\0}"] {
            assert!(read(no).is_err(), "{no:?}");
        }
    }

    #[test]
    fn empty_body_is_recognized() {
        for nothing in [&b""[..], b" \r\n", b"null", b" null ", b"\"\"", b"\xef\xbb\xbf", b"\xef\xbb\xbfnull"] {
            assert!(is_empty_body(nothing), "{nothing:?}");
        }
        for something in [&b"{}"[..], b"0", b"nul", b"\" \"", b"[]", b"\xef\xbb"] {
            assert!(!is_empty_body(something), "{something:?}");
        }
    }

    #[test]
    fn number_out_of_range_is_reported_as_such() {
        let result = read_object::<Map<String, Value>>(&headers_with_type("application/json"), b"{\"a\": 1e400}");
        assert_eq!(
            result.map(drop),
            Err(ApiError::malformed("the body has a number that is out of range (line 1, column 11)"))
        );
    }

    #[test]
    fn form_is_read_only_if_accepted() {
        for content_type in [form::FORM_MEDIA_TYPE, "Application/X-WWW-Form-URLEncoded; charset=UTF-8"] {
            let read = read_object_or_form::<Value>(&headers_with_type(content_type), b"a=b").unwrap();
            assert_eq!(*read.body(), serde_json::json!({ "a": "b" }));
            let refused = read_object::<Map<String, Value>>(&headers_with_type(content_type), b"a=b");
            assert_eq!(refused.map(drop), Err(ProtocolError::UnsupportedMediaType.into()));
        }
        let mut packed = headers_with_type(form::FORM_MEDIA_TYPE);
        packed.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        for headers in [packed, headers_with_type("text/plain")] {
            let refused = read_object_or_form::<Value>(&headers, b"a=b");
            assert_eq!(refused.map(drop), Err(ProtocolError::UnsupportedMediaType.into()));
        }
    }

    fn read_exact_json(body: &str) -> Result<ExactJson, ApiError> {
        read_exact(&headers_with_type("application/json"), body.as_bytes(), &[]).map(|(read, _)| read)
    }

    #[test]
    fn numbers_round_trip_digit_for_digit() {
        let text =
            r#"{"a":5.363636,"b":[1e40,0.1000,-0,123456789012345678901234567890],"c":{"d":null,"a":true,"x":"ž\n"}}"#;
        assert_eq!(serde_json::to_string(&read_exact_json(text).unwrap()).unwrap(), text);
    }

    #[test]
    fn invalid_json_is_rejected() {
        for no in ["", " ", "{", "[1,]", "nul", "{'a':1}", "[1e400]", "[-1e400]"] {
            assert!(read_exact_json(no).is_err(), "{no}");
        }
        assert!(read_exact_json(&format!("{}{}", "[".repeat(100), "]".repeat(100))).is_ok());
        assert!(read_exact_json(&format!("{}{}", "[".repeat(140), "]".repeat(140))).is_err());
        assert!(read_exact_json(&format!("{}{}", "[".repeat(100_000), "]".repeat(100_000))).is_err());
    }
}
