//! Reads the bodies of the native API. Every fault is told at once, members that a call does not know among them: what is misspelt
//! would else be lost without a word.

use actix_web::http::header::HeaderMap;
use serde::Deserializer;
use serde::de::DeserializeOwned;
use tillgate_domain::ExactJson;
use validator::Validate;

use crate::body::{check_json_object, is_empty_body, malformed_body_error};
use crate::duplicates::NameComparison;
use crate::error::{ApiError, FieldViolation, ProtocolError};
use crate::exact;
use crate::field::{FieldError, field_faults};
use crate::request::Request;

/// A body of JSON, where nothing is wrong with it.
pub(super) fn read_body<T: DeserializeOwned + Validate>(headers: &HeaderMap, bytes: &[u8]) -> Result<T, ApiError> {
    read_body_with(headers, bytes, |_| Vec::new())
}

/// The same where `more` finds what no field tells by itself.
pub(super) fn read_body_with<T: DeserializeOwned + Validate>(
    headers: &HeaderMap,
    bytes: &[u8],
    more: impl FnOnce(&T) -> Vec<FieldViolation>,
) -> Result<T, ApiError> {
    let json = check_json_object(headers, bytes, NameComparison::ExactJson)?;
    read_so_far(json, |error| malformed_body_error(&error), more)?.check_body(|_| Ok(Vec::new()))
}

/// The same of a call whose body may be left out, which is as if it were an empty object.
pub(super) fn read_optional_request<T: DeserializeOwned + Validate>(call: &Request) -> Result<T, ApiError> {
    if is_empty_body(call.body()) { parse_built_body(&ExactJson::Object(Vec::new())) } else { read_request(call) }
}

/// The body of a call in the one form of all bodies that say the same: without blanks, the members of objects in the order of their
/// names, numbers by their digits. A body that says nothing is an empty object.
pub(super) fn canonicalize_body(call: &Request) -> Result<String, ApiError> {
    if is_empty_body(call.body()) {
        return Ok("{}".to_owned());
    }
    let body = exact::parse_exact(check_json_object(call.head().headers(), call.body(), NameComparison::ExactJson)?)?
        .with_sorted_members();
    write_json(&body)
}

fn write_json(body: &ExactJson) -> Result<String, ApiError> {
    serde_json::to_string(body).map_err(|error| ApiError::Fault(format!("a body cannot be written: {error}")))
}

/// The same of a call.
pub(super) fn read_request<T: DeserializeOwned + Validate>(call: &Request) -> Result<T, ApiError> {
    read_body(call.head().headers(), call.body())
}

/// The body of a call as far as it could be read, whatever is wrong with it. `more` finds what no field tells by itself, such as
/// that a password is made of a name in the same body.
pub(super) fn sent_so_far<T: DeserializeOwned + Validate>(
    call: &Request,
    more: impl FnOnce(&T) -> Vec<FieldViolation>,
) -> Result<SoFar<T>, ApiError> {
    let json = check_json_object(call.head().headers(), call.body(), NameComparison::ExactJson)?;
    read_so_far(json, |error| malformed_body_error(&error), more)
}

/// The same of a body that was put together here.
pub(super) fn made_so_far<T: DeserializeOwned + Validate>(
    body: &ExactJson,
    more: impl FnOnce(&T) -> Vec<FieldViolation>,
) -> Result<SoFar<T>, ApiError> {
    let failed = |error| ApiError::Fault(format!("a body that was made cannot be read: {error}"));
    read_so_far(write_json(body)?.as_bytes(), failed, more)
}

/// A body as far as it could be read, and everything that is known to be wrong with it. What only the store knows is added before
/// the body is handed out, so that all faults are reported at once.
pub(super) struct SoFar<T> {
    body: T,
    faults: Vec<FieldViolation>,
}

impl<T> SoFar<T> {
    /// The body; fields at fault have no value.
    pub(super) const fn body(&self) -> &T {
        &self.body
    }

    /// Whether nothing is known to be wrong with it.
    pub(super) const fn is_faultless(&self) -> bool {
        self.faults.is_empty()
    }

    /// Adds faults; what is known already is kept once, and a password is weak for one reason at a time.
    pub(super) fn add(&mut self, faults: Vec<FieldViolation>) {
        for fault in faults {
            let weak =
                |known: &FieldViolation| fault.code == "weak" && known.code == "weak" && known.field == fault.field;
            if !self.faults.iter().any(|known| *known == fault || weak(known)) {
                self.faults.push(fault);
            }
        }
    }

    /// The body if nothing is wrong with it; otherwise everything that is, with what `more` finds.
    pub(super) fn check_body(
        mut self,
        more: impl FnOnce(&T) -> Result<Vec<FieldViolation>, ApiError>,
    ) -> Result<T, ApiError> {
        if self.is_faultless() {
            return Ok(self.body);
        }
        let found = more(&self.body)?;
        self.add(found);
        self.faults.sort();
        Err(ProtocolError::InvalidFields(self.faults).into())
    }
}

/// The same of a body that was put together here.
pub(super) fn parse_built_body<T: DeserializeOwned + Validate>(body: &ExactJson) -> Result<T, ApiError> {
    made_so_far(body, |_| Vec::new())?.check_body(|_| Ok(Vec::new()))
}

fn read_so_far<T: DeserializeOwned + Validate>(
    json: &[u8],
    failed: impl Fn(serde_json::Error) -> ApiError,
    more: impl FnOnce(&T) -> Vec<FieldViolation>,
) -> Result<SoFar<T>, ApiError> {
    let mut sent = serde_json::Deserializer::from_slice(json);
    let read = deserialize_known(&mut sent).and_then(|read| sent.end().map(|()| read));
    let (body, mut faults) = read.map_err(failed)?;
    faults.extend(field_faults(&body, more));
    Ok(SoFar { body, faults })
}

/// A body, and the members that it does not know.
fn deserialize_known<'de, T: DeserializeOwned, D: Deserializer<'de>>(
    sent: D,
) -> Result<(T, Vec<FieldViolation>), D::Error> {
    let mut unknown = Vec::new();
    let body = serde_ignored::deserialize(sent, |member| {
        unknown.extend(FieldError::unknown_member(&member.to_string()).into_iter().map(|unfit| FieldViolation {
            field: unfit.pointer.trim_start_matches('/').to_owned().into(),
            in_query: false,
            code: unfit.code.into(),
            message: unfit.message.into(),
        }));
    })?;
    Ok((body, unknown))
}
