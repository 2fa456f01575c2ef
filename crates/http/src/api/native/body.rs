//! Parsing of request bodies of the native API. All violations of a body are reported at once,
//! including unknown members: ignoring these would hide a misspelled name.

use actix_web::http::header::HeaderMap;
use serde::Deserializer;
use serde::de::DeserializeOwned;
use tillgate_domain::ExactJson;
use validator::Validate;

use crate::error::{ApiError, FieldViolation, malformed_body_error};
use crate::json::duplicates::NameComparison;
use crate::json::exact;
use crate::request::Request;
use crate::request::body::{CheckedJson, check_json_object, is_empty_body};
use crate::request::field::FieldError;
use crate::request::partial_body::PartialBody;

/// Reads a JSON body.
pub(super) fn read_body<T: DeserializeOwned + Validate>(headers: &HeaderMap, bytes: &[u8]) -> Result<T, ApiError> {
    read_body_with(headers, bytes, |_| Vec::new())
}

/// Reads a JSON body; `more` finds violations that concern several fields.
pub(super) fn read_body_with<T: DeserializeOwned + Validate>(
    headers: &HeaderMap,
    bytes: &[u8],
    more: impl FnOnce(&T) -> Vec<FieldViolation>,
) -> Result<T, ApiError> {
    let json = check_json_object(headers, bytes, NameComparison::Exact)?;
    read_checked(json, more)?.check_body(|_| Ok(Vec::new()))
}

/// Reads JSON that was received.
fn read_checked<T: DeserializeOwned + Validate>(
    json: CheckedJson<'_>,
    more: impl FnOnce(&T) -> Vec<FieldViolation>,
) -> Result<PartialBody<T>, ApiError> {
    let mut body = read_partial(json.text(), |error| malformed_body_error(&error), more)?;
    body.add(json.into_repeated());
    Ok(body)
}

/// Reads the JSON body of a request; a missing body is read as an empty object.
pub(super) fn read_optional_request<T: DeserializeOwned + Validate>(call: &Request) -> Result<T, ApiError> {
    read_optional_partial_request(call)?.check_body(|_| Ok(Vec::new()))
}

/// Like [`read_partial_request`]; a missing body is read as an empty object.
pub(super) fn read_optional_partial_request<T: DeserializeOwned + Validate>(
    call: &Request,
) -> Result<PartialBody<T>, ApiError> {
    if is_empty_body(call.body()) {
        return read_partial_built(&ExactJson::Object(Vec::new()), |_| Vec::new());
    }
    read_partial_request(call, |_| Vec::new())
}

/// Returns the canonical form of the body, which is equal for all bodies with the same content:
/// without whitespace, members sorted by name, numbers as their digits. A missing body is an empty
/// object.
pub(super) fn canonicalize_body(call: &Request) -> Result<String, ApiError> {
    if is_empty_body(call.body()) {
        return Ok("{}".to_owned());
    }
    let json = check_json_object(call.head().headers(), call.body(), NameComparison::Exact)?;
    write_json(&exact::parse_exact(json.text())?.with_sorted_members())
}

fn write_json(body: &ExactJson) -> Result<String, ApiError> {
    serde_json::to_string(body).map_err(|error| ApiError::Fault(format!("a body cannot be written: {error}")))
}

/// Reads the JSON body of a request.
pub(super) fn read_request<T: DeserializeOwned + Validate>(call: &Request) -> Result<T, ApiError> {
    read_body(call.head().headers(), call.body())
}

/// Reads the valid fields of a body and collects all violations. `more` finds violations that
/// concern several fields, such as a password that consists of a name in the same body.
pub(super) fn read_partial_request<T: DeserializeOwned + Validate>(
    call: &Request,
    more: impl FnOnce(&T) -> Vec<FieldViolation>,
) -> Result<PartialBody<T>, ApiError> {
    let json = check_json_object(call.head().headers(), call.body(), NameComparison::Exact)?;
    read_checked(json, more)
}

/// Reads a body that was built here instead of received.
pub(super) fn read_partial_built<T: DeserializeOwned + Validate>(
    body: &ExactJson,
    more: impl FnOnce(&T) -> Vec<FieldViolation>,
) -> Result<PartialBody<T>, ApiError> {
    let failed = |error| ApiError::Fault(format!("a body that was made cannot be read: {error}"));
    read_partial(write_json(body)?.as_bytes(), failed, more)
}

fn read_partial<T: DeserializeOwned + Validate>(
    json: &[u8],
    failed: impl Fn(serde_json::Error) -> ApiError,
    more: impl FnOnce(&T) -> Vec<FieldViolation>,
) -> Result<PartialBody<T>, ApiError> {
    let mut sent = serde_json::Deserializer::from_slice(json);
    let read = deserialize_known(&mut sent).and_then(|read| sent.end().map(|()| read));
    let (body, unknown) = read.map_err(failed)?;
    Ok(PartialBody::new(body, unknown).validate(more))
}

/// Deserializes a body, and returns a violation for each unknown member.
fn deserialize_known<'de, T: DeserializeOwned, D: Deserializer<'de>>(
    sent: D,
) -> Result<(T, Vec<FieldViolation>), D::Error> {
    let mut unknown = Vec::new();
    let body = serde_ignored::deserialize(sent, |member| {
        unknown.extend(FieldError::unknown_member(&member.to_string()).into_iter().map(|field_error| FieldViolation {
            field: field_error.pointer.trim_start_matches('/').to_owned().into(),
            in_query: false,
            code: field_error.code,
            message: field_error.message,
        }));
    })?;
    Ok((body, unknown))
}
